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
    private let mostBytes: Int
    /// In a batch: it takes less time than one after the other, but whoever waits for the first waits for all.
    private static let (mostBlocks, mostDemanded) = (16, 4)

    /// - Parameters:
    ///   - threads: how many take from it.
    ///   - mostBytes: of a batch, plain.
    init(threads: Int, mostBytes: Int) {
        self.threads = max(1, threads)
        self.mostBytes = mostBytes
    }

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
            var (count, room) = (0, mostBytes)
            let run = state.blocks.popRun(Self.mostBlocks, takers: threads) { block in
                count += 1
                room -= block.job.reference.plainLength
                // XXTEA has lanes on every processor.
                let gains = BLAKE2b.lanes > 1 || block.job.reference.codec == .xxteaSnappy
                return gains && room >= 0 && (block.fetchClass != .demand || count <= Self.mostDemanded)
            }
            guard let run else { return nil }
            return .some(run.others.isEmpty ? .block(run.first) : .batch([run.first] + run.others))
        }
    }
}
