import Benchmark
import BlockCodec
import BlockStore
import Support
import Synchronization

/// The queue of fetches: a block is asked for, joined by others, got from a store in memory, decoded and handed out.
func fetching() {
    let setup = prepared { try Fetching() }
    for waiters in [1, 8] {
        Benchmark("Fetch.4KiB.\(waiters)waiting", configuration: .init(scalingFactor: .kilo)) { benchmark in
            let left = Monitor(benchmark.scaledIterations.count * waiters)
            for position in benchmark.scaledIterations {
                let reference = setup.references[position % setup.references.count]
                for _ in 0..<waiters {
                    setup.fetcher.fetch(reference, from: setup.router, .demand) { result in
                        if case .failure(let error) = result { fatalError("\(error)") }
                        if left.withLock({ $0 -= 1; return $0 == 0 }) { left.broadcast() }
                    }
                }
            }
            left.wait { $0 == 0 ? () : nil }
        }
    }
}

private struct Fetching: Sendable {
    let fetcher = BlockFetcher()
    let references: [BlockReference]
    let router: BlockRouter

    init() throws {
        let store = MemoryStore()
        references = try (0..<256).map { try store.add(sample(4 << 10, seed: UInt64($0))) }
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
