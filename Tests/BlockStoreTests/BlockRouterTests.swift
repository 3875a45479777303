import BlockCodec
@testable import BlockStore
import Support
import TestSupport
import Testing

@Suite("Routing to stores", .timeLimit(.minutes(5)))
struct BlockRouterTests {
    private func pool(_ name: String, _ routes: String...) throws -> RoutePool {
        RoutePool(name: name, routes: try routes.map { try StoreRoute(parsing: $0) })
    }

    @Test("orders pools, shuffles replicas, tries bad ones last")
    func order() throws {
        let router = try BlockRouter(
            RouteTable(lookup: [
                try pool("near", "zdb://a", "zdb://b", "zdb://c", "00-7f=zdb://half"),
                try pool("far", "zdb://d", "zdb://a"),
            ]))
        let high = try #require(Digest([UInt8](repeating: 0xf0, count: 32)))
        let low = try #require(Digest([UInt8](repeating: 0x10, count: 32)))
        #expect(router.stores.map(\.address) == ["zdb://a", "zdb://b", "zdb://c", "zdb://half", "zdb://d"])
        var firsts: Set<String> = []
        for _ in 0..<200 {
            let names = router.replicas(for: high).map(\.address)
            #expect(Set(names.prefix(3)) == ["zdb://a", "zdb://b", "zdb://c"])
            #expect(names.dropFirst(3) == ["zdb://d"])
            firsts.insert(names[0])
        }
        #expect(firsts.count == 3)
        #expect(router.replicas(for: low).count == 5)
        router.stores[0].failed(.unreachable("down"))
        #expect(router.replicas(for: high).map(\.address).last == "zdb://a")
        router.stores[0].judged(nil)
        #expect(Set(router.replicas(for: high).prefix(3).map(\.address)).contains("zdb://a"))
    }

    @Test("writes to every matching store once")
    func put() throws {
        let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
        let block = try TestBlock(1)
        let whole = try router("dir://\(first.path)", "00-ff=dir://\(first.path)", "dir://\(second.path)")
        defer { whole.close() }
        try block.stored.withUnsafeBytes { try whole.put(block.reference.id, $0) }
        #expect(whole.stores.map(\.statistics.blocksWritten) == [1, 1])
        let byte = block.reference.id.first ^ 0xff
        let gap = try router("\(Hex.encode([byte]))=dir://\(first.path)")
        #expect(throws: FlistError.self) { try block.stored.withUnsafeBytes { try gap.put(block.reference.id, $0) } }
    }

    @Test("copies what was read elsewhere to the cache pools")
    func caches() throws {
        let fixture = try FetchFixture(stores: 2, caches: [0])
        let blocks = try TestBlock.many(2)
        fixture.fetch(blocks[0])
        try fixture.request(0).complete(.failure(.missing))
        try fixture.request(0, of: 1).succeed(blocks[0].stored)
        #expect(fixture.stores[0].written.wait(for: 1) == [blocks[0].reference.id])
        fixture.fetch(blocks[1])
        try fixture.request(1).succeed(blocks[1].stored)
        #expect(fixture.results.wait(for: 2).count == 2)
        fixture.fetcher.shutdown()
        #expect(fixture.stores[0].written.all.count == 1)
        #expect(fixture.stores[1].written.all.isEmpty)
        #expect(fixture.router.droppedCopies == 0)
    }

    @Test("refuses endless route lists")
    func bound() throws {
        let route = try StoreRoute(parsing: "zdb://h")
        let routes = [StoreRoute](repeating: route, count: BlockRouter.maximumRoutes + 1)
        #expect(throws: FlistError.self) { try BlockRouter(RouteTable(routes: routes)) }
        #expect(try BlockRouter(RouteTable(routes: routes.dropLast())).stores.count == 1)
    }

    @Test("counts, and measures latency")
    func statistics() throws {
        let store = try router("zdb://h").stores[0]
        store.received(bytes: 10, after: .milliseconds(80))
        store.received(bytes: 20, after: .milliseconds(160))
        store.failed(.missing)
        #expect(store.statistics.blocks == 2)
        #expect(store.statistics.bytes == 30)
        #expect(store.statistics.latency == .milliseconds(90))
        #expect(store.statistics.failures == [.missing: 1])
        #expect(store.isHealthy)
    }
}
