internal import ArgumentParser
internal import BlockCache
internal import FUSESession
internal import FlistContent
internal import FlistFileSystem
internal import Support

struct MountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mounts a flist; its bytes are fetched as they are read.",
        discussion: """
            Returns when the mount is usable, and serves it in the background until it is unmounted.

              flist mount debian.fl /mnt
              flist mount https://hub.grid.tf/tf-official-apps/base.flist /mnt --store zdb://hub.grid.tf:9900
              flist mount debian.fl /mnt --rw /var/lib/container     what is written goes to /var/lib/container/upper

            Options of -o: ro, nosuid, nodev, noexec, noatime, allow_other, readahead=KIB, workers=N, and those that
            mount(8) allows in fstab. Only root may let other users in, mount devices and setuid programs, and use --rw.
            Facts about the mount are extended attributes of its root: getfattr -n user.flist.hash /mnt
            (also .source .format .files .bytes .blocks .fetched .reads .cached).
            """)

    @OptionGroup var argument: FlistArgument

    @Argument(help: "An existing directory.", completion: .directory)
    var target: String

    @OptionGroup var cache: CacheOptions
    @OptionGroup var stores: StoreOptions

    @Option(
        name: .customLong("rw"),
        help: ArgumentHelp("Writable: changes go to DIR/upper, by an overlay.", valueName: "dir"),
        completion: .directory)
    var writableFolder: String?

    @Flag(name: .shortAndLong, help: "Serve from this process until it is unmounted or interrupted.")
    var foreground = false

    @Option(
        name: .customLong("log"), help: ArgumentHelp("Append messages of the background process to a file.", valueName: "file"),
        completion: .file())
    var logFile: String?

    @Option(name: .customShort("o"), help: ArgumentHelp("Mount options, separated by commas.", valueName: "opts"))
    var options: [String] = []

    /// Where a process started in the background tells how it went.
    @Option(name: .customLong("ready-fd"), help: .private)
    var readyDescriptor: Int32?

    func run() throws {
        // What can be told without starting anything is told first.
        var mount = FlistMount.Options()
        for text in options { try mount.mount.apply(text) }
        mount.writableFolder = writableFolder
        guard foreground || readyDescriptor != nil else {
            try BackgroundProcess.start(logFile: logFile)
            return
        }
        guard let readyDescriptor else {
            try serve(mount) {}
            return
        }
        let ready = ReadyPipe(descriptor: readyDescriptor)
        do {
            try serve(mount) { ready.succeed() }
        } catch {
            ready.fail(error)
            throw error
        }
    }

    private func serve(_ options: FlistMount.Options, ready: () -> Void) throws {
        // Before any thread exists, so that all of them inherit it.
        let signals = EndSignals.block()
        Logs.start()
        let flist = try OpenFlist(argument.flist, options: FlistOpening.options(cache, stores))
        defer { flist.close() }
        let mount = try FlistMount.mount(flist, source: argument.flist, at: target, options: options)
        try signals.wait { do { try mount.stop() } catch { Logs.error("\(error)") } }
        ready()
        mount.wait()
    }
}
