internal import FlistImage
internal import Logging
internal import Support
internal import Synchronization

/// Brings the bytes that earlier starts of a flist wanted before this one asks for them, and records what it wants
/// where that is not yet known for certain.
///
/// Thread-safe. Two threads of its own at most, which end by themselves.
final class StartProfile: Sendable {
    /// A start is over after this long.
    static let duration = Duration.seconds(60)

    private let content: ContentReader
    private let folder: ProfileFolder
    private let logger: Logger
    private let prefetcher: Prefetcher
    private let hasEnded = Atomic<Bool>(false)
    private let threads = Mutex<[WorkerThread]>([])

    init(_ content: ContentReader, _ folder: ProfileFolder, logger: Logger) {
        self.content = content
        self.folder = folder
        self.logger = logger
        // One store that is away must not keep a mount that nobody reads from busy.
        prefetcher = Prefetcher(content, patience: 16)
    }

    /// Begins. Blocks on the disk for a moment.
    func start() {
        let stored = folder.load(content.index.summary.flistHash)
        let profile = stored?.entries ?? content.index.profile
        if stored.map({ !$0.isComplete }) ?? profile.isEmpty {
            content.recorder.start()
            begin("profile") { [self] in record(over: stored) }
        }
        if !profile.isEmpty { begin("prefetch") { [self] in prefetcher.run(content.index.spans(of: profile)) } }
    }

    /// Ends it, and keeps what was recorded. Blocks on the disk. Idempotent.
    func stop() {
        hasEnded.store(true, ordering: .sequentiallyConsistent)
        content.recorder.wake()
        prefetcher.stop()
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in threads { thread.join() }
    }

    private func begin(_ name: String, _ body: @escaping @Sendable () -> Void) {
        do throws(FlistError) {
            let thread = try WorkerThread(name, body)
            threads.withLock { $0.append(thread) }
        } catch {
            // Slower, no more.
            logger.warning("a profile is left out", metadata: ["error": "\(error)"])
        }
    }

    private func record(over stored: RecordedProfile?) {
        let isFull = content.recorder.waitUntilFull(.after(Self.duration)) { [self] in
            hasEnded.load(ordering: .sequentiallyConsistent)
        }
        let isComplete = isFull || !hasEnded.load(ordering: .sequentiallyConsistent)
        let index = content.index
        let profile = RecordedProfile(entries: index.profile(of: content.recorder.stop()), isComplete: isComplete)
        // Somebody who mounts it only to look at a file must not spoil it for those who start something.
        guard !profile.entries.isEmpty, profile.bytes > stored?.bytes ?? 0 else { return }
        do throws(FlistError) {
            try folder.save(profile, of: index.summary.flistHash)
        } catch {
            logger.info("a profile is not kept", metadata: ["error": "\(error)"])
        }
    }
}
