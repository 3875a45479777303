internal import BlockCodec
internal import Support

/// What the decode threads have to do: outcomes to hand over first, then blocks by class.
final class DecodeQueue: Sendable {
    /// Stored bytes to be verified and decoded.
    struct Block: Sendable {
        let job: FetchJob
        /// The job's at that moment: it may become more urgent meanwhile.
        let fetchClass: FetchClass
        let stored: BlockBuffer
        let store: RoutedStore
    }

    /// A failure for those who waited.
    struct Delivery: Sendable {
        let waiters: [FetchJob.Waiter]
        let error: FetchError

        func deliver() {
            for waiter in waiters { waiter.completion(.failure(error)) }
        }
    }

    enum Item: Sendable {
        case block(Block)
        /// Blocks that are decoded faster side by side.
        case batch([Block])
        case delivery(Delivery)
    }

    private struct State {
        var deliveries: [Delivery] = []
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

    /// False when the threads have ended or are about to: then the caller has to deliver.
    func append(_ delivery: Delivery) -> Bool {
        let isTaken = state.withLock { state -> Bool in
            if !state.isStopped { state.deliveries.append(delivery) }
            return !state.isStopped
        }
        if isTaken { state.signal() }
        return isTaken
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        state.broadcast()
    }

    /// Waits for work; nil when stopped and all deliveries are made.
    func next() -> Item? {
        state.wait { state -> Item?? in
            if let delivery = state.deliveries.popLast() { return .some(.delivery(delivery)) }
            if state.isStopped { return .some(nil) }
            let run = state.blocks.popRun(Self.lanes, takers: threads) { $0.job.reference.codec == .xxteaSnappy }
            guard let run else { return nil }
            return .some(run.others.isEmpty ? .block(run.first) : .batch([run.first] + run.others))
        }
    }
}
