import BlockCodec
import BlockStore
import Support
import TestSupport
import Testing

@Suite("Fetching blocks", .timeLimit(.minutes(5)))
struct BlockFetcherTests {
    private static var quick: FetcherOptions {
        var options = FetcherOptions()
        options.firstRetryDelay = .milliseconds(5)
        options.longestRetryDelay = .milliseconds(20)
        return options
    }

    @Test("the end of a store ends all that waits for it, however much that is")
    func closedBeforeMany() throws {
        let fixture = try FetchFixture()
        let blocks = try TestBlock.many(20_000, length: 16)
        for block in blocks { fixture.fetch(block, .readahead) }
        let asked = fixture.stores[0].requests.all
        #expect(asked.count > 0 && asked.count < 10_000)
        fixture.router.close()
        // On this thread, as the end of a connection does.
        for request in asked { request.complete(.failure(.cancelled)) }
        #expect(fixture.results.wait(for: blocks.count).filter { $0 == .failure(.cancelled) }.count == blocks.count)
        #expect(fixture.stores[0].requests.all.count == asked.count)
    }

    @Test("fetches blocks of every codec and counts them", arguments: BlockCodec.allCases)
    func codecs(codec: BlockCodec) throws {
        let folder = try TemporaryFolder()
        let router = try router("dir://\(folder.path)")
        defer { router.close() }
        let block = try TestBlock(1, length: 70_000, codec: codec)
        try block.stored.withUnsafeBytes { try router.put(block.reference.id, $0) }
        let fetcher = BlockFetcher()
        let plain = try fetcher.block(block.reference, from: router)
        #expect([UInt8](plain.bytes) == block.plain)
        let statistics = fetcher.statistics
        #expect(statistics.blocks == 1)
        #expect(statistics.storedBytes == UInt64(block.stored.count))
        #expect(statistics.plainBytes == 70_000)
        fetcher.shutdown()
        #expect(fetcher.statistics.inFlight == 0)
        #expect(throws: FetchError.cancelled) { try fetcher.block(block.reference, from: router) }
    }

    @Test("asks a store once for a block that many want")
    func join() throws {
        let fixture = try FetchFixture()
        let block = try TestBlock(1)
        for fetchClass in [FetchClass.prefetch, .demand, .readahead] { fixture.fetch(block, fetchClass) }
        try fixture.request(0).succeed(block.stored)
        #expect(fixture.results.wait(for: 3) == [Result](repeating: .success(block.reference.key), count: 3))
        #expect(fixture.stores[0].requests.all.count == 1)
        #expect(fixture.fetcher.statistics.joined == 2)
        fixture.fetch(block)
        try fixture.request(1).succeed(block.stored)
        #expect(fixture.results.wait(for: 4).count == 4)
    }

    @Test("serves the most urgent first, and lifts what is asked for again")
    func classes() throws {
        var options = FetcherOptions()
        options.memoryBudget = 1
        let fixture = try FetchFixture(options)
        let blocks = try TestBlock.many(6)
        fixture.fetch(blocks[0], .prefetch)
        fixture.fetch(blocks[1], .prefetch)
        fixture.fetch(blocks[2], .readahead)
        fixture.fetch(blocks[3], .demand)
        let lifted = fixture.fetch(blocks[4], .prefetch)
        fixture.fetch(blocks[5], .prefetch)
        lifted.lift(to: .demand)
        fixture.fetch(blocks[5], .readahead)
        #expect(fixture.fetcher.statistics.queued == [.demand: 2, .readahead: 2, .prefetch: 1])
        for (number, expected) in [0, 3, 4, 2, 5, 1].enumerated() {
            let request = try fixture.request(number)
            #expect(request.id == blocks[expected].reference.id)
            request.succeed(blocks[expected].stored)
        }
        #expect(fixture.results.wait(for: 7).count == 7)
        #expect(fixture.fetcher.statistics.peakInFlight == 1)
    }

    @Test("keeps the order of what waits for room at a store, demand first")
    func order() throws {
        var options = FetcherOptions()
        options.smallBlockWindow = 64
        let fixture = try FetchFixture(options)
        let blocks = try TestBlock.many(61)
        for block in blocks[..<60] { fixture.fetch(block, .readahead) }
        #expect(fixture.stores[0].requests.all.count == 8)
        fixture.fetch(blocks[60], .demand)
        var order = Array(0..<60)
        order.insert(60, at: 8)
        for (number, expected) in order.enumerated() {
            let request = try fixture.request(number)
            #expect(request.id == blocks[expected].reference.id)
            request.succeed(blocks[expected].stored)
        }
        #expect(fixture.results.wait(for: 61).count == 61)
    }

    @Test("hands blocks that may start together to the store in one call")
    func batches() throws {
        var options = FetcherOptions()
        let blocks = try TestBlock.many(5)
        let large = try TestBlock(100, length: 1 << 20)
        options.memoryBudget = 200_000
        let fixture = try FetchFixture(options)
        fixture.fetch(large)
        for block in blocks { fixture.fetch(block) }
        try fixture.request(0).succeed(large.stored)
        #expect(fixture.stores[0].batches.wait(for: 2) == [1, 5])
    }

    @Test("goes to the next store on every kind of failure, and counts it")
    func failover() throws {
        let block = try TestBlock(1)
        let kinds: [(StoreError, StoreStatistics.Failure, Bool)] = [
            (.missing, .missing, true), (.refused("no"), .refused, false), (.unreachable("down"), .unreachable, false),
            (.timedOut, .timedOut, false), (.protocolViolation("odd"), .protocolViolation, false),
            (.tooLarge, .tooLarge, false),
        ]
        for (error, kind, staysHealthy) in kinds {
            let fixture = try FetchFixture(stores: 2)
            fixture.fetch(block)
            try fixture.request(0).complete(.failure(error))
            try fixture.request(0, of: 1).succeed(block.stored)
            #expect(fixture.results.wait(for: 1) == [.success(block.reference.key)])
            #expect(fixture.statistics(0).failures == [kind: 1])
            #expect(fixture.statistics(0).isHealthy == staysHealthy)
            #expect(fixture.statistics(1).blocks == 1)
            #expect(fixture.statistics(1).inFlight == 0)
            #expect(fixture.fetcher.statistics.retries == 1)
        }
    }

    @Test("takes a flipped bit for a failure of the store")
    func corrupt() throws {
        let block = try TestBlock(1)
        let fixture = try FetchFixture(stores: 2)
        var wrong = block.stored
        wrong[100] ^= 4
        fixture.fetch(block)
        try fixture.request(0).succeed(wrong)
        try fixture.request(0, of: 1).succeed(block.stored)
        #expect(fixture.results.wait(for: 1) == [.success(block.reference.key)])
        #expect(fixture.statistics(0).failures == [.corrupt: 1])
        #expect(!fixture.statistics(0).isHealthy)
    }

    @Test("asks the same address for another who joined when the stores of the first are closed", arguments: [0, 1])
    func closed(number: Int) throws {
        let block = try TestBlock(1)
        let first = try FetchFixture(stores: 2)
        let second = try FetchFixture(stores: 2, beside: first)
        first.fetch(block)
        let request = try first.request(0)
        second.fetch(block)
        first.router.close()
        if number == 0 {
            // Stores end what is under way when they are closed.
            request.complete(.failure(.cancelled))
            try second.request(0).succeed(block.stored)
        } else {
            request.succeed(block.stored.map { ~$0 })
            try second.request(0, of: 1).succeed(block.stored)
        }
        #expect(second.results.wait(for: 1) == [.success(block.reference.key)])
        #expect(first.stores[1].requests.all.isEmpty)
    }

    @Test("gives up after one pass when no store has it, naming all")
    func missing() throws {
        let block = try TestBlock(1)
        let fixture = try FetchFixture(stores: 2)
        fixture.fetch(block)
        try fixture.request(0).complete(.failure(.missing))
        try fixture.request(0, of: 1).complete(.failure(.corrupt(.wrongID)))
        let error = try #require(fixture.results.wait(for: 1).first?.failure)
        let failures = [
            StoreFailure(address: "zdb://host0", error: .missing),
            StoreFailure(address: "zdb://host1", error: .corrupt(.wrongID)),
        ]
        #expect(error == .failed(block.reference.id, failures))
        #expect(error.errno == .io)
        #expect(error.description.contains("\(block.reference.id): zdb://host0: "))
    }

    @Test("does not ask further stores when the flist itself is wrong")
    func wrongKey() throws {
        let (block, other) = (try TestBlock(1), try TestBlock(2))
        let fixture = try FetchFixture(stores: 2)
        let reference = BlockReference(
            id: block.reference.id, key: other.reference.key, codec: .gcmSnappy, plainLength: 4096)
        fixture.fetcher.fetch(reference, from: fixture.router, .demand) { [results = fixture.results] in
            results.add(hashed($0))
        }
        try fixture.request(0).succeed(block.stored)
        let error = try #require(fixture.results.wait(for: 1).first?.failure)
        let failure = StoreFailure(address: "zdb://host0", error: .corrupt(.wrongKey))
        #expect(error == .failed(block.reference.id, [failure]))
        #expect(fixture.stores[1].requests.all.isEmpty)
        #expect(fixture.statistics(0).isHealthy)
    }

    @Test("tries again after a pause what may pass, but not what was missing")
    func rounds() throws {
        let block = try TestBlock(1)
        let fixture = try FetchFixture(stores: 2, Self.quick)
        fixture.fetch(block)
        try fixture.request(0).complete(.failure(.missing))
        try fixture.request(0, of: 1).complete(.failure(.unreachable("down")))
        try fixture.request(1, of: 1).complete(.failure(.unreachable("down")))
        try fixture.request(2, of: 1).succeed(block.stored)
        #expect(fixture.results.wait(for: 1) == [.success(block.reference.key)])
        #expect(fixture.stores[0].requests.all.count == 1)
    }

    @Test("stops trying a store that keeps refusing")
    func refused() throws {
        let block = try TestBlock(1)
        let fixture = try FetchFixture(Self.quick)
        fixture.fetch(block)
        for number in 0..<3 { try fixture.request(number).complete(.failure(.refused("no"))) }
        let error = try #require(fixture.results.wait(for: 1).first?.failure)
        #expect(error == .failed(block.reference.id, [StoreFailure(address: "zdb://host0", error: .refused("no"))]))
    }

    @Test("ends by its deadline, each of those who joined by their own")
    func deadline() throws {
        let block = try TestBlock(1)
        let fixture = try FetchFixture()
        fixture.fetch(block, deadline: .after(.seconds(60)))
        fixture.fetch(block, deadline: .after(.milliseconds(20)))
        let error = try #require(fixture.results.wait(for: 1).first?.failure)
        #expect(
            error == .timedOut(block.reference.id, [StoreFailure(address: "zdb://host0", error: .timedOut)]))
        #expect(error.errno == .timedOut)
        let request = try fixture.request(0)
        #expect(!request.isFinished)
        request.succeed(block.stored)
        #expect(fixture.results.wait(for: 2).last == .success(block.reference.key))
    }

    @Test("tells the reader of an unreachable store the truth")
    func unreachable() throws {
        let router = try router("zdb://127.0.0.1:\(try LoopbackPort.free())")
        defer { router.close() }
        let fetcher = BlockFetcher(options: Self.quick)
        let block = try TestBlock(1)
        let error = try #require(throws: FetchError.self) {
            try fetcher.block(block.reference, from: router, deadline: .after(.milliseconds(200)))
        }
        #expect(error.errno == .hostUnreachable || error.errno == .timedOut)
        #expect(fetcher.statistics.retries > 0)
    }

    @Test("tells of failures in time while those who took blocks hold up all decode threads")
    func stuckDisk() throws {
        var options = FetcherOptions()
        options.setTimeout(.milliseconds(300))
        options.decodeThreads = 1
        let fixture = try FetchFixture(options)
        let blocks = try TestBlock.many(2)
        let (taken, isOver) = (Monitor(false), Monitor(false))
        // As a write to a disk that is stuck.
        fixture.fetcher.fetch(blocks[0].reference, from: fixture.router, .demand) { _ in
            taken.withLock { $0 = true }
            taken.broadcast()
            _ = isOver.wait { $0 ? true : nil }
        }
        try fixture.request(0).succeed(blocks[0].stored)
        _ = taken.wait { $0 ? true : nil }
        fixture.fetch(blocks[1])
        let failure = fixture.results.wait(for: 1).first?.failure
        isOver.withLock { $0 = true }
        isOver.broadcast()
        #expect(failure?.errno == .timedOut)
        fixture.fetcher.shutdown()
    }

    @Test("stops work that nobody waits for any more")
    func cancel() throws {
        var options = FetcherOptions()
        options.memoryBudget = 1
        let fixture = try FetchFixture(options)
        let blocks = try TestBlock.many(3)
        let first = fixture.fetch(blocks[0])
        let joined = fixture.fetch(blocks[0])
        let queued = fixture.fetch(blocks[1])
        fixture.fetch(blocks[2])
        let request = try fixture.request(0)
        queued.cancel()
        queued.cancel()
        first.cancel()
        #expect(!request.isFinished)
        joined.cancel()
        #expect(request.isFinished)
        #expect(fixture.results.wait(for: 3) == [Result](repeating: .failure(.cancelled), count: 3))
        let next = try fixture.request(1)
        #expect(next.id == blocks[2].reference.id)
        next.succeed(blocks[2].stored)
        #expect(fixture.results.wait(for: 4).last == .success(blocks[2].reference.key))
        #expect(fixture.fetcher.statistics.cancelled == 2)
        fixture.fetcher.shutdown()
        #expect(fixture.fetcher.statistics.inFlightBytes == 0)
    }

    @Test("never has more memory under way than the budget")
    func budget() throws {
        let folder = try TemporaryFolder()
        let router = try router("dir://\(folder.path)")
        defer { router.close() }
        var options = FetcherOptions()
        options.memoryBudget = 1 << 20
        let fetcher = BlockFetcher(options: options)
        let blocks = try TestBlock.many(100, length: 65536)
        for block in blocks { try block.stored.withUnsafeBytes { try router.put(block.reference.id, $0) } }
        let results = Outcomes<Result<Digest, FetchError>>()
        for block in blocks { fetcher.fetch(block.reference, from: router, .readahead) { results.add(hashed($0)) } }
        #expect(Set(results.wait(for: 100)) == Set(blocks.map { .success($0.reference.key) }))
        fetcher.shutdown()
        let statistics = fetcher.statistics
        #expect(statistics.peakInFlightBytes <= 1 << 20)
        #expect(statistics.peakInFlight > 1)
        #expect(statistics.inFlightBytes == 0)
        #expect(statistics.inFlight == 0)
    }

    @Test("says so when no route matches")
    func notRoutable() throws {
        let router = try BlockRouter(RouteTable())
        let block = try TestBlock(1)
        let fetcher = BlockFetcher()
        #expect(throws: FetchError.notRoutable(block.reference.id)) { try fetcher.block(block.reference, from: router) }
    }

    @Test("cancels what is under way when shut down")
    func shutdown() throws {
        let fixture = try FetchFixture()
        let block = try TestBlock(1)
        fixture.fetch(block)
        let request = try fixture.request(0)
        fixture.fetcher.shutdown()
        #expect(request.isFinished)
        #expect(fixture.results.all == [.failure(.cancelled)])
    }
}
