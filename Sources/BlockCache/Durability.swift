internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// Moves complete files from `fresh` to `objects` once they are known to be on disk.
///
/// One syncfs(2) for all of them, some seconds after the first, instead of an fsync for each. A thread is started by
/// the first file and sleeps while there is none.
final class Durability: Sendable {
    private struct State {
        /// The files in `fresh`, and whether their pages are to be dropped once they are on disk.
        var pending: [ObjectName: Bool] = [:]
        var isStarted = false
        var isStopping = false
    }

    private let folder: CacheFolder
    private let log: FailureLog
    private let state = Monitor(State())
    private let thread = Mutex<WorkerThread?>(nil)
    /// Opened before anything is written: from Linux 5.8 on syncfs reports what failed since then.
    private let descriptor: Int32
    /// What to do when the disk lost something; set once, before the first file.
    private let onLoss = Mutex<(@Sendable () -> Void)?>(nil)

    /// Seconds from the first fresh file to the sync: the kernel itself writes back after 5 (dirty_writeback_centisecs).
    private static let interval = Duration.seconds(5)

    init(folder: CacheFolder, log: FailureLog) {
        self.folder = folder
        self.log = log
        descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    func setOnLoss(_ action: @escaping @Sendable () -> Void) { onLoss.withLock { $0 = action } }

    /// Takes note of a file in `fresh`.
    func add(_ name: ObjectName) {
        let (isFirst, isOnly) = state.withLock { state in
            guard !state.isStopping else { return (false, false) }
            let isOnly = state.pending.isEmpty
            if state.pending[name] == nil { state.pending[name] = false }
            defer { state.isStarted = true }
            return (!state.isStarted, isOnly)
        }
        // The thread waits for the first only: to wake it for each would cost more than the rest of this.
        if isFirst { start() } else if isOnly { state.signal() }
    }

    /// Has a file's pages dropped from memory as soon as they are on disk; false if it does not wait for that.
    func dropPages(_ name: ObjectName) -> Bool {
        state.withLock { state in
            guard state.pending[name] != nil else { return false }
            state.pending[name] = true
            return true
        }
    }

    /// Takes over what other processes left in `fresh` when they ended.
    func adopt() {
        for name in entries(of: folder.fresh).compactMap({ ObjectName(parsing: $0) }) { add(name) }
    }

    /// Has the file system write down all it knows, whether that succeeds or not. Blocks on the disk.
    func syncDisk() {
        let number = descriptor
        _ = try? systemCall { linux_syncfs(number) }
    }

    /// Syncs now; answers how many files moved. Blocks on the disk.
    @discardableResult
    func flush() -> Int {
        let files = state.withLock { state in
            defer { state.pending = [:] }
            return state.pending
        }
        guard !files.isEmpty, descriptor >= 0 else { return 0 }
        do throws(Errno) {
            _ = try systemCall { linux_syncfs(descriptor) }
        } catch {
            log.report("the disk under the cache \(folder.path) lost writes (\(error)): check it (dmesg)")
            onLoss.withLock { $0 }?()
            return 0
        }
        return files.count { name, dropsPages in
            guard promote(name) else { return false }
            if dropsPages, let file = try? CachedObject.openQuietly(folder.object(name), O_RDONLY) {
                posix_fadvise(file.number, 0, 0, POSIX_FADV_DONTNEED)
            }
            return true
        }
    }

    /// Ends the thread. What is in `fresh` stays there for the next process: it can be trusted until the machine stops.
    func stop() {
        state.withLock { $0.isStopping = true }
        state.broadcast()
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
    }

    private func promote(_ name: ObjectName) -> Bool {
        let (fresh, object) = (folder.fresh(name), folder.object(name))
        do throws(Errno) {
            try CacheFolder.move(fresh, to: object)
            return true
        } catch .exists {
            // Made twice by processes that did not see each other: same bytes, one is enough.
            unlink(fresh)
        } catch {
            // Evicted, or moved by another process; else it stays and is taken over at the next start.
        }
        return false
    }

    private func start() {
        let made = try? WorkerThread("cache-sync") { [self] in run() }
        thread.withLock { $0 = made }
    }

    private func run() {
        while true {
            let isStopping = state.wait { state -> Bool? in
                if state.isStopping { return true }
                return state.pending.isEmpty ? nil : false
            }
            if isStopping { return }
            // More files may come meanwhile: one sync serves all.
            let stopped = state.wait(until: .after(Self.interval)) { $0.isStopping ? true : nil }
            if stopped == true { return }
            flush()
        }
    }
}
