internal import FlistImage
internal import Support
internal import Synchronization

/// Writes down which blocks are read, in the order in which each is first wanted.
///
/// Thread-safe. While it does not record, a read pays one atomic look; while it does, the same for each block that it
/// has heard of.
final class ProfileRecorder: Sendable {
    /// Ranges recorded at most: as many as a profile may have.
    static let maximumSpans = ProfileText.maximumEntries
    /// Blocks recorded at most: 4 GiB of the usual ones.
    static let maximumBlocks = 8192
    /// A reader that goes on where one of so many left off makes no range of its own.
    private static let openSpans = 8

    private struct Key: Hashable {
        let inode: InodeNumber
        let block: Int
    }

    private struct State {
        var spans: [ContentSpan] = []
        var known: Set<Key> = []
        var isRecording = false
    }

    private let recording = Atomic<Bool>(false)
    private let state = Monitor(State())

    var isRecording: Bool {
        @inline(__always) get { recording.load(ordering: .relaxed) }
    }

    /// Begins, with nothing recorded.
    func start() {
        state.withLock { $0 = State(isRecording: true) }
        recording.store(true, ordering: .relaxed)
    }

    /// Ends; answers what was read.
    func stop() -> [ContentSpan] {
        recording.store(false, ordering: .relaxed)
        let spans = state.withLock { state in
            defer { state = State() }
            return state.spans
        }
        state.broadcast()
        return spans
    }

    /// Waits until there is no room for more, or somebody has ended it, or the time has come. Answers whether it is full.
    func waitUntilFull(_ deadline: Deadline, orEnded hasEnded: @Sendable () -> Bool) -> Bool {
        let isFull = state.wait(until: deadline) { state -> Bool? in
            if hasEnded() { return false }
            return state.isRecording ? nil : true
        }
        return isFull ?? false
    }

    /// Makes `waitUntilFull` look again whether it is ended.
    func wake() {
        // The lock, since it may be about to sleep.
        state.withLock { _ in }
        state.broadcast()
    }

    /// Takes note of a read.
    func note(_ range: Range<UInt64>, of file: ContentFile) {
        let size = UInt64(file.blocks.blockSize)
        guard !range.isEmpty, size > 0 else { return }
        for block in Int(range.lowerBound / size)...Int((range.upperBound - 1) / size) where !file.told.contains(block)
        {
            file.told.insert(block)
            add(file.inode, block)
        }
    }

    private func add(_ inode: InodeNumber, _ block: Int) {
        let isFull = state.withLock { state -> Bool in
            guard state.isRecording, state.known.insert(Key(inode: inode, block: block)).inserted else { return false }
            let open = state.spans.suffix(Self.openSpans).indices
            if let span = open.last(where: {
                state.spans[$0].inode == inode && state.spans[$0].blocks.upperBound == block
            }) {
                state.spans[span].blocks = state.spans[span].blocks.lowerBound..<block + 1
            } else {
                state.spans.append(ContentSpan(inode: inode, blocks: block..<block + 1))
            }
            guard state.spans.count >= Self.maximumSpans || state.known.count >= Self.maximumBlocks else {
                return false
            }
            state.isRecording = false
            return true
        }
        guard isFull else { return }
        recording.store(false, ordering: .relaxed)
        state.broadcast()
    }
}
