import BlockCodec
import Support
import Testing

@testable import BlockStore

@Suite("Blocks decoded side by side", .timeLimit(.minutes(5)))
struct BatchFetchTests {
    @Test("a run is of one class, alike, and a share for each taker")
    func runs() {
        var queue = ClassQueue<Int>()
        for number in 1...10 { queue.append(number, .readahead) }
        queue.append(0, .demand)
        func run(_ takers: Int) -> [Int] {
            queue.popRun(4, takers: takers) { $0 < 8 }.map { [$0.first] + $0.others } ?? []
        }
        #expect(run(1) == [0])
        #expect(run(5) == [1, 2])
        #expect(run(1) == [3, 4, 5, 6])
        #expect(run(1) == [7])
        #expect(run(1) == [8])
        #expect(run(1) == [9])
        #expect(run(1) == [10])
        #expect(run(1) == [])
    }

    @Test("each is delivered, and a damaged one is asked of the next store", arguments: [0, 3])
    func damaged(damaged: Int) throws {
        var options = FetcherOptions()
        options.decodeThreads = 1
        let fixture = try FetchFixture(stores: 2, options)
        let blocks = try (0..<6).map { try TestBlock($0, length: 20_000, codec: .xxteaSnappy) }
        // Holds the one decoding thread until the others are in the queue.
        let gate = Monitor(false)
        let first = try TestBlock(100)
        _ = fixture.fetcher.fetch(first.reference, from: fixture.router, .demand) { _ in
            _ = gate.wait { $0 ? true : nil }
        }
        try fixture.request(0).succeed(first.stored)
        for block in blocks { fixture.fetch(block) }
        for number in blocks.indices {
            var stored = blocks[number].stored
            if number == damaged { stored[100] ^= 1 }
            try fixture.request(number + 1).succeed(stored)
        }
        gate.withLock { $0 = true }
        gate.broadcast()
        try fixture.request(0, of: 1).succeed(blocks[damaged].stored)
        let keys = Set(fixture.results.wait(for: 6).compactMap { try? $0.get() })
        #expect(keys == Set(blocks.map { BLAKE2b.hash($0.plain, .bytes32) }))
        #expect(fixture.stores[0].requests.all.count == 7 && fixture.stores[1].requests.all.count == 1)
        fixture.fetcher.shutdown()
        #expect(fixture.fetcher.statistics.inFlight == 0)
    }
}
