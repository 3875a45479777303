internal import BlockCache
internal import FUSESession
internal import FlistContent
internal import FlistFileSystem
internal import Glibc
internal import Keeper
internal import Logging
internal import ProgramSupport
internal import Support
internal import Telemetry

/// A mount as a command line describes it, and how this process serves it until it ends.
struct MountService {
    let flist: String
    let target: String
    var content: ContentOptions
    var options = FlistMount.Options()
    /// Whether cached contents are checked in the background while the mount lives.
    var scrubs = true
    var log: String?
    var level = Logger.Level.info
    /// A file that holds the process's number while the mount lives. That of the keeper where there is one: it stays the
    /// same, and hands on what is sent to it.
    var pidFile: String?
    /// Whether the mount table shows that number as the source.
    var showsProcess = false
    /// Whether SIGHUP opens the log anew; else it hands the mount over to a new process, or ends it where none can.
    var reopensAtHangup = false
    /// How long the mount waits for another process to serve it when this one dies.
    var patience = Duration.seconds(60)
    /// Written to stdout when the mount can be used, for those who wait for it there.
    var announcement: String?

    /// Mounts, serves, and returns when the mount is gone.
    ///
    /// - Parameter background: nil in the foreground.
    func run(in background: BackgroundRole? = nil) throws {
        // Before any thread: all inherit it, so that the one that waits gets them.
        let signals = ProgramSignals()
        let readiness = background?.readiness ?? Readiness(nil)
        let log = try startLog(background, readiness)
        var content = content
        // The one that came with the options was made before and writes to stderr, which nobody sees.
        content.logger = Logger(label: "flist")
        do throws(FlistError) {
            try ProcessRights.reduce(to: .mount(writable: options.writableFolder != nil))
        } catch {
            content.logger.warning("serves with more rights than it needs", metadata: ["error": "\(error)"])
        }
        do {
            // The one thread of a process that was forked has another's number, which must not be seen at a lock.
            try WorkerThread.call("serve") { [content] in try serve(content, background, signals, log) }
        } catch {
            readiness.fail(error)
            throw error
        }
    }

    /// Mounts or goes on, and returns when the mount is gone.
    private func serve(
        _ content: ContentOptions, _ background: BackgroundRole?, _ signals: ProgramSignals, _ log: LogFile?
    ) throws {
        var content = content
        let process = background?.keeper == nil ? getpid() : getppid()
        var options = options
        if showsProcess { options.mount.source = "\(process)" }
        let kept = try background.flatMap { try inherited($0) }
        content.hash = try kept.map(FlistMount.hash)
        let open = try OpenFlist(flist, options: content)
        defer { open.close() }
        if scrubs { open.cache?.startScrubbing() }
        let pid = try pidFile.map { path throws(FlistError) in try PIDFile(path, process) }
        defer { pid?.remove() }
        let source = FlistLocation.shown(flist)
        let mount =
            try kept.map { try FlistMount.resume(open, $0, source: source, options: options) }
            ?? FlistMount.mount(open, source: source, at: target, options: options)
        let isKept = background.map { keep(mount, $0, content.logger) } ?? false
        let stopping = Monitor(0)
        try handle(signals, mount, log, stopping, canHandOver: isKept)
        background?.readiness.succeed()
        if let announcement {
            Output.line(announcement)
            _ = Output.finish()
        }
        mount.wait()
        if isKept { try? background?.keeper?.drop(Self.key) }
        // Cutting off those who use the mount ends the wait before it is out of the tree.
        stopping.wait { $0 == 0 ? () : nil }
    }

    /// A successor goes on without a log rather than not at all.
    private func startLog(_ background: BackgroundRole?, _ readiness: Readiness) throws -> LogFile? {
        do throws(FlistError) {
            return try ProgramLog.start(log, isBackground: background != nil, level: level)
        } catch {
            guard background?.isSuccessor == true else {
                readiness.fail(error)
                throw error
            }
            return try ProgramLog.start(nil, isBackground: true, level: level)
        }
    }

    /// Of the one thing that the keeper of a mount holds.
    private static let key = "mount"

    /// What a process that died has left; nil for one that mounts.
    private func inherited(_ background: BackgroundRole) throws(FlistError) -> KeptSession? {
        guard background.isSuccessor, let keeper = background.keeper else { return nil }
        guard let item = try keeper.take().first else {
            throw FlistError(.notFound, "the mount at \(target) has ended")
        }
        return KeptSession(state: item.description, descriptors: item.descriptors)
    }

    /// Has the keeper hold what a successor needs; false if there will be none.
    private func keep(_ mount: FlistMount, _ background: BackgroundRole, _ logger: Logger) -> Bool {
        guard let keeper = background.keeper, let kept = mount.kept else { return false }
        do throws(FlistError) {
            try keeper.keep(KeptItem(key: Self.key, description: kept.state, descriptors: kept.descriptors))
        } catch {
            logger.error("the mount will end with this process", metadata: ["error": "\(error)"])
            return false
        }
        if background.isSuccessor { logger.notice("goes on with the mount", metadata: ["target": "\(target)"]) }
        return true
    }

    /// - Parameters:
    ///   - stopping: how many calls are ending the mount just now.
    ///   - canHandOver: whether there is a keeper that starts another process.
    private func handle(
        _ signals: ProgramSignals, _ mount: FlistMount, _ log: LogFile?, _ stopping: Monitor<Int>, canHandOver: Bool
    ) throws {
        // At once: what is not answered the kernel asks the successor, and what lies in the cache is whole at any time.
        let handOver: @Sendable () -> Void = { _exit(Supervisor.handover) }
        let reopen: @Sendable () -> Void = {
            do throws(FlistError) {
                try log?.reopen()
            } catch {
                Terminal.complain("\(error)")
            }
        }
        try signals.handle(
            ending: {
                stopping.withLock { $0 += 1 }
                defer {
                    stopping.withLock { $0 -= 1 }
                    stopping.broadcast()
                }
                do throws(FlistError) {
                    try mount.stop()
                } catch {
                    Terminal.complain("cannot end the mount: \(error)")
                }
            }, hangup: reopensAtHangup ? reopen : canHandOver ? handOver : nil)
    }
}

/// A file with the number of a process, which others read to find it.
struct PIDFile {
    private let path: String

    /// Writes it, in place of an older one.
    init(_ path: String, _ process: pid_t) throws(FlistError) {
        self.path = path
        do throws(Errno) {
            let file = try FileDescriptor(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
            // No end of line: readers that expect a number and nothing else are about.
            let bytes = Array("\(process)".utf8)
            let number = file.number
            _ = try systemCall { write(number, bytes, bytes.count) }
        } catch {
            throw FlistError("cannot write the pid file \(path)", errno: error)
        }
    }

    func remove() { unlink(path) }
}
