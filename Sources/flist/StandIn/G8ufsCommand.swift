internal import ArgumentParser
internal import BlockStore
internal import FlistContent
internal import ProgramSupport
internal import Support

/// `g8ufs`: mounts a flist as 0-fs does, see cmd/main.go of threefoldtech/0-fs for its flags and defaults.
struct G8ufsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "g8ufs",
        abstract: "Mounts a flist as g8ufs does.",
        discussion: """
            This is flist, called by the name of g8ufs: see flist mount --help. The mount
            is read-only. Its type is fuse.g8ufs, its source the number of the process that
            serves it. SIGHUP opens the log anew, SIGTERM and SIGINT unmount.

              g8ufs --cache /var/cache/flist --meta debian.flist --daemon /mnt
            """,
        version: "flist \(Version.number)")

    @Option(
        help: ArgumentHelp("The flist: a path or an http(s) URL, of any format.", valueName: "flist"),
        completion: .file(extensions: ["fl", "flist"]))
    var meta: [String] = []

    @Option(
        help: ArgumentHelp(
            "The folder of the cache: /var/cache/flist for root, else ~/.cache/flist.", valueName: "dir"),
        completion: .directory)
    var cache: String?

    @Option(
        name: .customLong("storage-url"),
        help: ArgumentHelp(
            "A store to ask before those of the flist: zdb://, redis://, ardb:// and so on.",
            discussion:
                "Without it, \(G8ufsCommand.hub) is asked after those of the flist.", valueName: "url"))
    var storage: String?

    @Option(
        name: .customLong("local-router"),
        help: ArgumentHelp("A router.yaml, used before all other stores.", valueName: "file"), completion: .file())
    var router: String?

    @Flag(help: "Return when the mount can be used, and serve it in the background.")
    var daemon = false

    @Option(
        help: ArgumentHelp(
            "Append the log to this file: /var/log/g8ufs.log with --daemon, else stderr.", valueName: "file"),
        completion: .file())
    var log: String?

    @Option(
        help: ArgumentHelp("Write the number of the serving process to this file.", valueName: "file"),
        completion: .file())
    var pid: String?

    @Flag(help: "Accepted: the mount is read-only in any case.")
    var ro = false

    @Flag(help: "Log more.")
    var debug = false

    @Flag(help: "Accepted: nothing is ever written that could be reset.")
    var reset = false

    @Option(help: ArgumentHelp("Accepted: what is fetched is in the cache.", valueName: "dir"), completion: .directory)
    var backend: String?

    @Argument(help: "The directory to mount on.", completion: .directory)
    var target: String

    /// Where 0-fs looks when a flist names no store.
    private static let hub = "zdb://hub.grid.tf:9900"

    func validate() throws {
        guard meta.count == 1 else {
            throw ValidationError(
                meta.isEmpty
                    ? "--meta FLIST is missing." : "--meta may be given once: layers of flists are not mounted.")
        }
    }

    func run() throws {
        var service = try StandIn.service(
            meta[0], at: target, cache: cache, log: log ?? (daemon ? "/var/log/g8ufs.log" : nil), debug: debug)
        let store = StoreRoute(url: try StoreURL(parsing: storage ?? Self.hub))
        if storage == nil { service.content.stores.fallback = [store] } else { service.content.stores.stores = [store] }
        service.content.stores.router = try router.map(FlistOpening.router)
        service.pidFile = pid
        guard !daemon else {
            return try BackgroundProcess.start(patience: service.patience) { try service.run(in: $0) }
        }
        // For those who read its output to see when the root of their container is there.
        service.announcement = daemon ? nil : "mount starts"
        try service.run()
    }
}
