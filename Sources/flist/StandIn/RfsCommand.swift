internal import ArgumentParser
internal import ProgramSupport
internal import Support

/// `rfs`: mounts a flist as rfs does, see rfs/src/main.rs of threefoldtech/rfs for its flags.
struct RfsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rfs",
        abstract: "Mounts a flist as rfs does.",
        discussion: """
            This is flist, called by the name of rfs. It mounts; what else rfs does, flist
            does under its own name.
            """,
        version: "flist \(Version.number)",
        subcommands: [
            RfsMountCommand.self, RfsPackCommand.self, RfsUnpackCommand.self, RfsCloneCommand.self,
            RfsConfigCommand.self,
        ])

    /// Options that stand before the command.
    struct Common: ParsableArguments {
        @Flag(help: "Log more; may be given again.")
        var debug: Int
    }

    @OptionGroup var common: Common
}

struct RfsMountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mounts a flist.",
        discussion: """
            See flist mount --help. The mount is read-only. Its type is fuse.g8ufs, its
            source the number of the process that serves it. SIGHUP opens the log anew,
            SIGTERM and SIGINT unmount.

              rfs mount --cache /var/cache/flist --meta debian.fl --daemon /mnt
            """)

    @OptionGroup var common: RfsCommand.Common

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The flist: a path or an http(s) URL, of any format.", valueName: "flist"),
        completion: .file(extensions: ["fl", "flist"]))
    var meta: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The folder of the cache: /var/cache/flist for root, else ~/.cache/flist.", valueName: "dir"),
        completion: .directory)
    var cache: String?

    @Flag(name: .shortAndLong, help: "Return when the mount can be used, and serve it in the background.")
    var daemon = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Append the log to this file; without it to stderr, with --daemon nowhere.", valueName: "file"),
        completion: .file())
    var log: String?

    @Argument(help: "The directory to mount on.", completion: .directory)
    var target: String

    func run() throws {
        let service = try StandIn.service(meta, at: target, cache: cache, log: log, debug: common.debug > 0)
        guard !daemon else {
            return try BackgroundProcess.start(patience: service.patience) { try service.run(in: $0) }
        }
        try service.run()
    }
}
