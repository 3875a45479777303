import Benchmark
import BlockCodec
import BlockStore
import Support
import Synchronization

/// The queue of fetches: a block is asked for, joined by others, got from a store in memory, decoded and handed out.
func fetching() {
    for waiters in [1, 8] {
        Benchmark("Fetch.4KiB.\(waiters)waiting", configuration: .init(scalingFactor: .kilo)) {
            (benchmark, fetching: Fetching) throws in
            let state = Monitor((left: benchmark.scaledIterations.count * waiters, failure: FetchError?.none))
            for position in benchmark.scaledIterations {
                let reference = fetching.references[position % fetching.references.count]
                for _ in 0..<waiters {
                    fetching.fetcher.fetch(reference, from: fetching.router, .demand) { result in
                        state.withLock { state in
                            state.left -= 1
                            if case .failure(let error) = result { state.failure = error }
                        }
                        state.signal()
                    }
                }
            }
            if let failure = state.wait(for: { $0.left == 0 ? .some($0.failure) : nil }) { throw failure }
        } setup: {
            try Fetching()
        }
    }
}

private struct Fetching: Sendable {
    let fetcher = BlockFetcher()
    let references: [BlockReference]
    let router: BlockRouter

    init() throws {
        let store = MemoryStore()
        // One for each step of a measurement: none joins an earlier step.
        references = try (0..<1000).map { try store.add(sample(4 << 10, seed: UInt64($0))) }
        router = try store.router()
    }
}

/// Answers at once, on the thread that asks.
final class MemoryStore: BlockStore, Sendable {
    let address = "memory"
    private let blocks = Mutex<[Digest: [UInt8]]>([:])

    /// Encodes a block and takes it in.
    func add(_ plain: [UInt8]) throws -> BlockReference {
        var encoder = BlockEncoder(codec: .gcmZstd)
        return try plain.withUnsafeBytes { plain in
            let (reference, stored) = try encoder.encode(plain)
            blocks.withLock { $0[reference.id] = [UInt8](stored) }
            return reference
        }
    }

    /// Leads to this store alone.
    func router() throws -> BlockRouter {
        let table = RouteTable(routes: [try StoreRoute(parsing: "dir:///memory")])
        return try BlockRouter(table, opening: { (_: StoreURL) throws(FlistError) in self })
    }

    func get(_ requests: [StoreRequest]) {
        for request in requests {
            guard let stored = blocks.withLock({ $0[request.id] }) else {
                request.complete(.failure(.missing))
                continue
            }
            let buffer = BlockBufferPool.shared.buffer(capacity: stored.count)
            buffer.memory.copyBytes(from: stored)
            buffer.count = stored.count
            request.complete(.success(buffer))
        }
    }

    func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError) {
        blocks.withLock { $0[id] = [UInt8](stored) }
    }

    func contains(_ ids: [Digest]) throws(StoreError) -> [Bool] {
        blocks.withLock { blocks in ids.map { blocks[$0] != nil } }
    }

    func close() {}
}
