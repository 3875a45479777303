internal import BlockCodec
internal import Support

/// What the decode threads have to do: blocks, by class.
final class DecodeQueue: Sendable {
    /// Stored bytes to be verified and decoded.
    struct Block: Sendable {
        let job: FetchJob
        /// The job's at that moment: it may become more urgent meanwhile.
        let fetchClass: FetchClass
        let stored: BlockBuffer
        let store: RoutedStore
    }

    enum Item: Sendable {
        case block(Block)
        /// Blocks that are decoded faster side by side.
        case batch([Block])
    }

    private struct State {
        var blocks = ClassQueue<Block>()
        var isStopped = false
    }

    private let state = Monitor(State())
    private let threads: Int
    /// The decoder takes so many in the time of one.
    private static let lanes = 4

    /// - Parameter threads: how many take from it.
    init(threads: Int) { self.threads = max(1, threads) }

    func append(_ block: Block) {
        state.withLock { $0.blocks.append(block, block.fetchClass) }
        state.signal()
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        state.broadcast()
    }

    /// Waits for work; nil when stopped.
    func next() -> Item? {
        state.wait { state -> Item?? in
            if state.isStopped { return .some(nil) }
            let run = state.blocks.popRun(Self.lanes, takers: threads) { $0.job.reference.codec == .xxteaSnappy }
            guard let run else { return nil }
            return .some(run.others.isEmpty ? .block(run.first) : .batch([run.first] + run.others))
        }
    }
}
