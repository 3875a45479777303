internal import BlockStore
public import FlistImage
internal import BlockCodec
internal import Support

/// Brings blocks into the cache before anybody reads them, and after everything that somebody waits for.
///
/// Thread-safe. What is there already is passed over without a store; bytes under way are bounded.
public final class Prefetcher: Sendable {
    /// What has become of the blocks so far.
    public struct Progress: Sendable {
        /// Blocks that the cache had, holes not counted.
        public var present = 0
        public var presentBytes: UInt64 = 0
        /// Blocks that were brought into it.
        public var fetched = 0
        public var fetchedBytes: UInt64 = 0
        /// Blocks, or files without any, that could not be had.
        public var failed = 0
        /// The first of the failures, for people.
        public var failure: Failure?
        /// Whether it ended early because the cache took no more.
        public var isCacheFull = false
        /// Whether it ended early because one block after another failed.
        public var hasGivenUp = false
    }

    /// What could not be had.
    public struct Failure: Sendable {
        public let inode: InodeNumber
        public let reason: String
    }

    private struct State {
        var progress = Progress()
        var count = 0
        var bytes = 0
        var failuresInRow = 0
        var isStopped = false
    }

    /// About what the fetcher lets a prefetch have under way. Not more: a block's time to come runs from here on.
    private static let maximumCount = 512
    private static let maximumBytes = 32 << 20

    private let content: ContentReader
    private let patience: Int
    private let state = Monitor(State())

    /// - Parameter patience: after so many failures in a row the stores are taken to be away, and `run` ends.
    public init(_ content: ContentReader, patience: Int = 64) {
        self.content = content
        self.patience = patience
    }

    public var progress: Progress { state.withLock { $0.progress } }

    /// Ends `run`; what is under way may still come. Thread-safe.
    public func stop() {
        state.withLock { $0.isStopped = true }
        state.broadcast()
    }

    /// Asks for what is missing, in the order given, and waits until all of it is in the cache or has failed. Blocks.
    public func run(_ spans: some Sequence<ContentSpan>) {
        for span in spans where !isStopped {
            guard let file = content.file(span.inode) else {
                fail(span.inode, "the flist does not say what it holds")
                continue
            }
            for block in span.blocks.clamped(to: 0..<file.blocks.count) {
                guard let reference = file.blocks[block] else { continue }
                guard enter(reference.plainLength) else { return }
                load(block, reference, of: file)
            }
        }
        state.wait { $0.count == 0 || $0.isStopped ? () : nil }
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func load(_ block: Int, _ reference: BlockReference, of file: ContentFile) {
        let length = reference.plainLength
        if file.isLocal(block) {
            return leave(length) { state in
                state.progress.present += 1
                state.progress.presentBytes += UInt64(length)
            }
        }
        content.loader.load(block, reference, of: file, .prefetch, waiter: nil) { [self, inode = file.inode] result in
            switch result {
            case .success(true):
                leave(length) { state in
                    state.progress.fetched += 1
                    state.progress.fetchedBytes += UInt64(length)
                    state.failuresInRow = 0
                }
            case .success(false):
                // What is not kept was fetched for nothing: no use in going on.
                leave(length) { state in
                    state.progress.isCacheFull = true
                    state.isStopped = true
                }
            case .failure(let error):
                leave(length) { [patience] state in
                    Self.add(Failure(inode: inode, reason: "\(error)"), to: &state.progress)
                    state.failuresInRow += 1
                    guard state.failuresInRow >= patience, !state.isStopped else { return }
                    state.progress.hasGivenUp = true
                    state.isStopped = true
                }
            }
        }
    }

    private func fail(_ inode: InodeNumber, _ reason: String) {
        state.withLock { Self.add(Failure(inode: inode, reason: reason), to: &$0.progress) }
    }

    private static func add(_ failure: Failure, to progress: inout Progress) {
        progress.failed += 1
        if progress.failure == nil { progress.failure = failure }
    }

    /// Waits until there is room; a larger block goes alone. False once stopped.
    private func enter(_ bytes: Int) -> Bool {
        state.wait { state -> Bool? in
            if state.isStopped { return false }
            guard state.count < Self.maximumCount, state.count == 0 || state.bytes + bytes <= Self.maximumBytes else {
                return nil
            }
            state.count += 1
            state.bytes += bytes
            return true
        }
    }

    private func leave(_ bytes: Int, _ note: (inout State) -> Void) {
        state.withLock { state in
            state.count -= 1
            state.bytes -= bytes
            note(&state)
        }
        state.broadcast()
    }
}
