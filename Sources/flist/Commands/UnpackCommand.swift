internal import ArgumentParser
internal import FlistContent
internal import FlistTools
internal import Support
internal import ProgramSupport

/// `flist unpack`: makes the tree of a flist in a folder.
struct UnpackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpack",
        abstract: "Makes the tree of a flist in a folder.",
        discussion: """
            Permissions, times, links, special files, xattrs and holes are kept; owners
            too for root, or with -p. Without its owner a file gets no setuid and no
            setgid bit. DIR is made if it is missing and has to be empty
            otherwise. Entries that cannot be made are told, and the status is 1; a file
            of which a block is missing is not made at all. One that was interrupted
            leaves files that are not whole: unpack again with --force.

              flist unpack debian.fl /srv/root
              flist unpack --store zdb://backup:9900/debian debian.fl /srv/root
            """)

    @OptionGroup var flist: FlistArgument

    @Argument(help: "The folder.", completion: .directory)
    var dir: String

    @Flag(
        name: [.customShort("p"), .customLong("preserve-ownership")],
        help: "Give entries their owners, which needs root's rights; always on for root.")
    var keepOwners = false

    @Flag(help: "Write into DIR although it is not empty: what is in the way is replaced, the rest stays.")
    var force = false

    @Flag(name: .shortAndLong, help: "No progress and no summary.")
    var quiet = false

    @Option(
        name: .customLong("cache"),
        help: ArgumentHelp("Use and fill this cache. By default blocks go straight into DIR.", valueName: "dir"),
        completion: .directory)
    var cache: String?

    @OptionGroup var stores: StoreOptions
    @OptionGroup var patience: PatienceOptions
    @OptionGroup var json: JSONOption

    func run() throws {
        ProgramLog.startComplaining()
        var options = try FlistOpening.options(nil, stores, patience)
        options.cacheFolder = cache
        let open = try OpenFlist(flist.flist, options: options)
        defer { open.close() }
        var unpacking = UnpackOptions(keepOwners: keepOwners || Process.isRoot)
        unpacking.force = force
        let unpacker = Unpacker(open.index, Supply.of(open), options: unpacking) { Terminal.complain($0) }
        let progress = TerminalProgress("unpack", quiet: quiet) {
            let progress = unpacker.progress
            return TerminalProgress.Figures(
                done: progress.bytes, total: progress.totalBytes, note: "\(progress.items) entries")
        }
        defer { progress.stop() }
        let summary = try unpacker.run(into: dir)
        progress.stop()
        if json.isOn {
            JSONValue.object([
                ("dir", .string(dir)), ("entries", .unsigned(summary.entries)), ("bytes", .unsigned(summary.bytes)),
                ("failed", .integer(Int64(summary.failed))),
            ]).print()
        } else if !quiet {
            Output.line("\(dir): \(summary.entries) entries, \(ByteCount(summary.bytes))")
        }
        if summary.failed > 0 {
            Terminal.complain("\(dir): \(summary.failed) entries are missing or not as they should be")
            throw Failed()
        }
    }
}
