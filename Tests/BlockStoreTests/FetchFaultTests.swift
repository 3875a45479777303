import BlockCodec
import BlockStore
import Glibc
import Support
import TestSupport
import Testing

@Suite("Fetching through faults", .timeLimit(.minutes(5)))
struct FetchFaultTests {
    private static var quick: FetcherOptions {
        var options = FetcherOptions()
        options.firstRetryDelay = .milliseconds(5)
        options.longestRetryDelay = .milliseconds(20)
        options.timeout = .milliseconds(600)
        return options
    }

    @Test("has all blocks of a window under way before the first reply")
    func pipelining() throws {
        let server = try RedisServer()
        let blocks = try TestBlock.many(64)
        for block in blocks { try server.set(block.reference.id.bytes, block.stored) }
        let proxy = try FaultProxy(to: server.port, fault: .stall(after: 0))
        let router = try router("zdb://127.0.0.1:\(proxy.port)?connections=2")
        defer { router.close() }
        let fetcher = BlockFetcher()
        let results = Outcomes<Result<Digest, FetchError>>()
        for block in blocks { fetcher.fetch(block.reference, from: router, .demand) { results.add(hashed($0)) } }
        let request = "*2\r\n$3\r\nGET\r\n$32\r\n".utf8.count + 32 + 2
        #expect(proxy.waitForRequestBytes(64 * request))
        #expect(proxy.replyBytes == 0)
        try proxy.set(.none)
        #expect(Set(results.wait(for: 64)) == Set(blocks.map { .success($0.reference.key) }))
        #expect(proxy.requestBytes == 64 * request)
        #expect(proxy.connections <= 2)
    }

    @Test(
        "finds every block at the good replica, whatever the other does",
        arguments: [
            FaultProxy.Fault.refuse, .reset(after: 1000), .truncate(after: 5000), .stall(after: 3000),
            .flipBit(at: 600), .garbage(Array("-ERR no\r\n".utf8)), .garbage([0, 1, 2, 10]),
        ])
    func replicas(fault: FaultProxy.Fault) throws {
        let server = try RedisServer()
        let blocks = try TestBlock.many(50)
        for block in blocks { try server.set(block.reference.id.bytes, block.stored) }
        let proxy = try FaultProxy(to: server.port, fault: fault)
        let router = try router("zdb://127.0.0.1:\(proxy.port)", "zdb://127.0.0.1:\(server.port)")
        defer { router.close() }
        let fetcher = BlockFetcher(options: Self.quick)
        let results = Outcomes<Result<Digest, FetchError>>()
        for block in blocks { fetcher.fetch(block.reference, from: router, .demand) { results.add(hashed($0)) } }
        #expect(Set(results.wait(for: 50)) == Set(blocks.map { .success($0.reference.key) }))
        #expect(fetcher.statistics.failures == 0)
    }

    @Test("waits for a store that comes back")
    func recovery() throws {
        let server = try RedisServer()
        let block = try TestBlock(1)
        try server.set(block.reference.id.bytes, block.stored)
        let proxy = try FaultProxy(to: server.port, fault: .refuse)
        let router = try router("zdb://127.0.0.1:\(proxy.port)")
        defer { router.close() }
        let fetcher = BlockFetcher(options: Self.quick)
        let results = Outcomes<Result<Digest, FetchError>>()
        fetcher.fetch(block.reference, from: router, .demand) { results.add(hashed($0)) }
        while fetcher.statistics.retries < 3 { sched_yield() }
        #expect(!router.stores[0].isHealthy)
        try proxy.set(.none)
        #expect(results.wait(for: 1) == [.success(block.reference.key)])
        #expect(router.stores[0].isHealthy)
    }

    @Test("goes on after the server was killed and started again")
    func restart() throws {
        let server = try RedisServer()
        let block = try TestBlock(1)
        let router = try router("zdb://127.0.0.1:\(server.port)")
        defer { router.close() }
        let fetcher = BlockFetcher(options: Self.quick)
        for _ in 0..<3 {
            try server.set(block.reference.id.bytes, block.stored)
            let plain = try fetcher.block(block.reference, from: router)
            #expect([UInt8](plain.bytes) == block.plain)
            server.stop()
            try server.start()
        }
    }

    @Test("gives ETIMEDOUT when the only store is silent")
    func silent() throws {
        let server = try RedisServer()
        let proxy = try FaultProxy(to: server.port, fault: .stall(after: 0))
        let router = try router("zdb://127.0.0.1:\(proxy.port)")
        defer { router.close() }
        let fetcher = BlockFetcher()
        let block = try TestBlock(1)
        let error = try #require(throws: FetchError.self) {
            try fetcher.block(block.reference, from: router, deadline: .after(.milliseconds(200)))
        }
        guard case .timedOut(block.reference.id, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.errno == .timedOut)
    }

    @Test("keeps blocks of a good store coming while another is silent")
    func isolation() throws {
        let server = try RedisServer()
        let proxy = try FaultProxy(to: server.port, fault: .stall(after: 0))
        let silent = try router("zdb://127.0.0.1:\(proxy.port)")
        let good = try router("zdb://127.0.0.1:\(server.port)")
        defer {
            silent.close()
            good.close()
        }
        let fetcher = BlockFetcher()
        let lost = try TestBlock.many(2000, length: 100)
        for block in lost { fetcher.fetch(block.reference, from: silent, .demand) { _ in } }
        let block = try TestBlock(5000)
        try server.set(block.reference.id.bytes, block.stored)
        let plain = try fetcher.block(block.reference, from: good, .prefetch, deadline: .after(.seconds(5)))
        #expect([UInt8](plain.bytes) == block.plain)
        fetcher.shutdown()
    }
}
