public import BlockCodec
public import BlockStore
public import FlistImage
public import Support
internal import Synchronization

/// Measures how fast the blocks of a flist come from their stores. Nothing is kept.
public struct FetchBench: Sendable {
    /// What is asked for.
    public enum Form: Sendable {
        /// Stored bytes from the first replica, as they come.
        case stored
        /// Plain bytes through the fetcher: any replica, verified and decoded on all cores, as a mount gets them.
        case decoded
    }

    /// How long one block may take.
    private static let patience = Duration.seconds(60)

    /// The different blocks of the flist, in an order that is the same in every run but not that of the files.
    public let blocks: [BlockReference]
    private let fetcher: BlockFetcher
    private let router: BlockRouter

    public init(_ index: TreeIndex, _ fetcher: BlockFetcher, _ router: BlockRouter) {
        var generator = RepeatableGenerator(seed: 1)
        blocks = Self.distinctBlocks(index).shuffled(using: &generator)
        self.fetcher = fetcher
        self.router = router
    }

    /// Every block once, in the order of the index.
    static func distinctBlocks(_ index: TreeIndex) -> [BlockReference] {
        var seen: Set<BlockReference> = []
        var distinct: [BlockReference] = []
        index.forEachFile { number, _ in
            guard let blocks = index.blocks(of: number) else { return }
            for position in 0..<blocks.count {
                guard let reference = blocks[position], seen.insert(reference).inserted else { continue }
                distinct.append(reference)
            }
        }
        return distinct
    }

    /// Fetches blocks, again from the first when all were had, and keeps `concurrency` of them under way. Blocks until
    /// the limit is reached and all have come; without a limit, one round.
    ///
    /// - Throws: `notFound` when the flist has no blocks.
    public func run(
        _ form: Form, concurrency: Int, limit: BenchLimit, progress: BenchProgress = BenchProgress()
    ) throws(FlistError) -> BenchFigures {
        guard !blocks.isEmpty else { throw FlistError(.notFound, "the flist has no blocks that could be fetched") }
        let flight = FlightLimit(count: max(1, concurrency), bytes: .max)
        let figures = Mutex(BenchFigures())
        let count = limit.count ?? (limit.duration == nil ? blocks.count : .max)
        let start = Deadline.now
        let end = limit.duration.map { Deadline.after($0) } ?? .never
        var started = 0
        while started < count, !end.hasPassed {
            let reference = blocks[started % blocks.count]
            started += 1
            flight.enter(0)
            let asked = Deadline.now
            fetch(reference, form) { result in
                switch result {
                case .success(let bytes):
                    figures.withLock { $0.succeed(bytes: bytes, since: asked) }
                    progress.add(bytes: bytes)
                case .failure(let failure): figures.withLock { $0.fail(failure.reason) }
                }
                flight.leave(0)
            }
        }
        flight.drain()
        var result = figures.withLock { $0 }
        result.elapsed = .nanoseconds(Int64(clamping: Deadline.now.nanoseconds - start.nanoseconds))
        return result
    }

    /// Why a block did not come.
    private struct Failure: Error {
        let reason: String
    }

    private func fetch(
        _ reference: BlockReference, _ form: Form, _ completion: @escaping @Sendable (Result<Int, Failure>) -> Void
    ) {
        switch form {
        case .decoded:
            fetcher.fetch(reference, from: router, .demand, deadline: .after(Self.patience)) { result in
                completion(result.map(\.count).mapError { Failure(reason: $0.description) })
            }
        case .stored:
            guard let place = router.replicas(for: reference.id).first else {
                return completion(.failure(Failure(reason: "no route leads to a store for block \(reference.id)")))
            }
            let request = StoreRequest(
                id: reference.id,
                maximumLength: reference.codec.maximumStoredLength(plainLength: reference.plainLength),
                deadline: .after(Self.patience)
            ) { result in
                completion(
                    result.map(\.count).mapError {
                        Failure(reason: "block \(reference.id) from \(place.address): \($0)")
                    })
            }
            do throws(FlistError) {
                try place.store().get([request])
            } catch {
                request.complete(.failure(.unreachable(error.description)))
            }
        }
    }
}
