internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// How a cache is read again in the background.
public struct ScrubOptions: Sendable, Hashable {
    /// The most that is read in a second.
    public var bytesPerSecond: UInt64
    /// From the begin of a round to the begin of the next: how long a content goes unchecked, if the rate allows.
    public var interval: Duration
    /// From the start of the process to its first look, so that it is not in the way of what the process starts for.
    public var delay: Duration

    public init(
        bytesPerSecond: UInt64 = 8 << 20, interval: Duration = .seconds(7 * 24 * 60 * 60),
        delay: Duration = .seconds(60)
    ) {
        self.bytesPerSecond = bytesPerSecond
        self.interval = interval
        self.delay = delay
    }
}

/// Reads the contents of a cache again and again and compares them with their names: a disk may change what it holds.
///
/// One process at a time does it for a folder, and goes on where another ended. Damaged contents and blocks are removed
/// and come from the stores when they are read. It works when neither disk nor processor have anything else to do.
final class Scrubber: Sendable {
    private let core: CacheCore
    private let options: ScrubOptions
    private let now: @Sendable () -> Int
    private let isStopping = Monitor(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// How often to look whether a round is due, or whether the process that was at it has ended.
    private static let pause = Duration.seconds(60 * 60)
    /// Bytes after which the progress is written down.
    private static let step: UInt64 = 32 << 20

    /// - Parameter now: seconds of the wall clock.
    init(_ core: CacheCore, _ options: ScrubOptions, now: @escaping @Sendable () -> Int = { time(nil) }) {
        self.core = core
        self.options = options
        self.now = now
    }

    /// Starts the thread. Call once.
    func start() {
        let made = try? WorkerThread("cache-scrub") { [self] in
            linux_work_when_idle()
            var wait = options.delay
            while !ends(after: wait) {
                look()
                wait = Self.pause
            }
        }
        thread.withLock { $0 = made }
    }

    /// Ends the thread, within the time of one read. Idempotent.
    func stop() {
        isStopping.withLock { $0 = true }
        isStopping.broadcast()
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
    }

    /// Does what is left of a round, if one is due and no other process is at it. Blocks.
    func look() {
        guard let file = try? FileDescriptor(core.folder.scrub, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600),
            flock(file.number, LOCK_EX | LOCK_NB) == 0
        else { return }
        let now = now()
        var progress = ScrubProgress(of: file) ?? ScrubProgress(started: now)
        if progress.isDue(now: now, interval: Int(clamping: options.interval.components.seconds)) {
            progress = ScrubProgress(started: now)
        }
        guard !progress.isDone else { return }
        progress.isDone = scrub(&progress) { $0.save(to: file) }
        progress.save(to: file)
    }

    /// Answers whether it came to the end.
    private func scrub(_ progress: inout ScrubProgress, _ save: (ScrubProgress) -> Void) -> Bool {
        var pace = ScrubPace(bytesPerSecond: options.bytesPerSecond)
        var unsaved: UInt64 = 0
        var isEnded = false
        let reading = ObjectReading(isDirect: true) { [self] bytes in
            let delay = pace.delay(before: bytes, now: Deadline.now.nanoseconds)
            isEnded = isEnded || ends(after: .nanoseconds(Int64(clamping: delay)))
            return !isEnded
        }
        for shard in 0..<256 {
            for object in core.settledObjects(inShard: shard).sorted(by: { $0.name.description < $1.name.description })
            where progress.last.map({ $0 < object.name.description }) ?? true {
                guard reading.mayRead(ScrubPace.open) else { return false }
                let check = core.check(object, repair: true, reading)
                if isEnded { return false }
                note(check)
                progress.last = object.name.description
                unsaved += check.bytes
                guard unsaved >= Self.step else { continue }
                unsaved = 0
                save(progress)
            }
        }
        return true
    }

    private func note(_ check: CacheCheck) {
        core.scrubbed.add(check.objects, ordering: .relaxed)
        core.scrubbedBytes.add(check.bytes, ordering: .relaxed)
        for content in check.damaged {
            core.log.note("cached content \(content) was damaged on disk; what is wrong is removed and fetched again")
        }
    }

    private func ends(after delay: Duration) -> Bool {
        isStopping.wait(until: .after(delay)) { $0 ? true : nil } ?? false
    }
}

extension BlockCache {
    /// Checks contents in the background from now until the cache is closed. Call once.
    public func startScrubbing(_ options: ScrubOptions = ScrubOptions()) {
        let scrubber = Scrubber(core, options)
        let isFirst = self.scrubber.withLock { current in
            guard current == nil else { return false }
            current = scrubber
            return true
        }
        if isFirst { scrubber.start() }
    }
}
