internal import ArgumentParser
internal import BlockStore
internal import FUSESession
internal import FlistContent
internal import FlistFileSystem
internal import Support
internal import ProgramSupport

/// `flist mount`: mounts a flist.
struct MountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mounts a flist; its contents are fetched as they are read.",
        discussion: """
            Returns when the mount can be used, and leaves a process behind that serves
            it; --foreground stays and ends with the mount, at `flist umount`, umount(8),
            SIGINT or SIGTERM. What is fetched stays in the cache. -o takes mount options
            as mount(8) does: allow_other, nosuid, nodev, noexec, fsname=NAME and so on.
            -o open=MODE sets how files are opened: none (nobody is asked, for many small
            files), passthrough (the kernel reads complete files in the cache by itself,
            for few large ones; as root), message, or auto, which looks at the sizes.
            -o timeout=SECONDS sets how long a read waits while nothing comes from the
            stores before it ends in an error (10 by default). As long as bytes come it
            goes on, at most thirty times as long.

            What the first minute of a mount reads is recorded in the cache; later mounts
            of the same flist fetch it before it is asked for (see flist profile). -o
            noprofile does neither. Contents in the cache are read again in the background,
            each once a week, 8 MiB in a second at most, and what a disk has damaged is
            fetched again; -o noscrub does not.

            The mount outlives its process: when that dies, another one goes on, and
            readers see a pause. SIGHUP starts a new one of what is installed then. -o
            keep=SECONDS is how long readers wait at most until the mount fails instead
            (60; 0: it ends with the process). Not with --foreground, not for ordinary
            users, and not before Linux 6.9.

            --rw makes the mount writable (root only): what is written goes to DIR/upper,
            which is made if it is missing. Facts about the mount are extended attributes
            of its root: getfattr -n user.flist.hash /mnt (also source, format, files,
            bytes, blocks, fetched, reads, cache, cached, open).

              flist mount debian.fl /mnt
              flist mount --rw /srv/changes --log /var/log/flist.log https://hub.example.com/debian.flist /mnt
            """)

    @OptionGroup var flist: FlistArgument

    @Argument(help: "The directory to mount on.", completion: .directory)
    var target: String

    @OptionGroup var cache: CacheOptions
    @OptionGroup var stores: StoreOptions

    @Option(help: ArgumentHelp("Keep what is written in this folder.", valueName: "dir"), completion: .directory)
    var rw: String?

    @Flag(name: .shortAndLong, help: "Stay, and log to stderr.")
    var foreground = false

    @Option(help: ArgumentHelp("Append the log to this file.", valueName: "file"), completion: .file())
    var log: String?

    @Option(name: .customShort("o"), help: ArgumentHelp("Mount options, with commas between.", valueName: "opts"))
    var options: [String] = []

    @Flag(help: "Never let the kernel read cached files by itself.")
    var noPassthrough = false

    func run() throws {
        // What is wrong with the command line is told before anything starts.
        var service = MountService(
            flist: flist.flist, target: target, content: try FlistOpening.options(cache, stores))
        for word in options.flatMap({ $0.split(separator: ",") }) { try service.apply(String(word)) }
        try check(&service.options)
        service.log = log
        guard !foreground else { return try service.run() }
        try BackgroundProcess.start(patience: service.patience) { try service.run(in: $0) }
    }

    /// What the flags add, and what contradicts itself.
    private func check(_ result: inout FlistMount.Options) throws {
        if noPassthrough {
            guard result.mount.opens != .passthrough else {
                throw FlistError(.usage, "--no-passthrough and -o open=passthrough contradict each other")
            }
            result.mount.opens = result.mount.opens ?? OpenMode.none
        }
        result.writableFolder = rw
        if rw != nil { result.mount.readOnly = false }
        if rw != nil, !Process.isRoot {
            throw FlistError(.permission, "cannot make \(target) writable: only root may mount an overlay")
        }
    }
}
