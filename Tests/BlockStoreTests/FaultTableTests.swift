import BlockCodec
import BlockStore
import Support
import TestSupport
import Testing

/// Every kind of store with every fault, alone and beside a good one.
@Suite(
    "Stores that misbehave", .enabled(if: NginxServer.isInstalled, "needs nginx"), .serialized,
    .timeLimit(.minutes(5)))
struct FaultTableTests {
    /// One row of the table under way.
    private struct Case {
        let fault: StoreFault
        let block: TestBlock
        let proxy: FaultProxy?
        let router: BlockRouter
        let outcome: Outcomes<Result<[UInt8], FetchError>>
    }

    private static var options: FetcherOptions {
        var options = FetcherOptions()
        options.timeout = .seconds(2)
        return options
    }

    /// A router that asks the first store before the second.
    private func router(_ addresses: [String]) throws -> BlockRouter {
        let pools = try addresses.map { RoutePool(name: $0, routes: [StoreRoute(url: try StoreURL(parsing: $0))]) }
        return try BlockRouter(RouteTable(lookup: pools))
    }

    private func start(
        _ fault: StoreFault, _ block: TestBlock, _ server: FaultyServer, encrypted: FaultyServer?,
        other: TestBlock, replica: String?, _ fetcher: BlockFetcher
    ) throws -> Case {
        try server.put(block.reference.id.bytes, "\(block.reference.id)", block.stored)
        let proxy = try fault.proxyFault(server.kind, other: other.stored).map {
            try FaultProxy(to: server.port, fault: $0)
        }
        let port = fault == .untrusted ? encrypted?.port ?? 0 : proxy?.port ?? server.port
        let addresses = [server.address(port, fault)] + (replica.map { [$0] } ?? [])
        let result = Case(
            fault: fault, block: block, proxy: proxy, router: try router(addresses), outcome: Outcomes())
        fetch(result, fetcher)
        return result
    }

    private func fetch(_ row: Case, _ fetcher: BlockFetcher) {
        fetcher.fetch(row.block.reference, from: row.router, .demand) { [outcome = row.outcome] result in
            outcome.add(result.map { [UInt8]($0.bytes) })
        }
    }

    @Test(
        "alone: the right errno and a line that names block, store and remedy; mended, the next read is good",
        arguments: StoreKind.allCases)
    func alone(kind: StoreKind) throws {
        let server = try FaultyServer(kind)
        let encrypted = kind == .redis ? nil : try FaultyServer(kind, tls: true)
        let fetcher = BlockFetcher(options: Self.options)
        defer { fetcher.shutdown() }
        let other = try TestBlock(1000)
        let rows = try StoreFault.allCases.filter { $0.isPossible(with: kind) }.enumerated().map { number, fault in
            try start(
                fault, TestBlock(number), server, encrypted: encrypted, other: other, replica: nil, fetcher)
        }
        defer { for row in rows { row.router.close() } }
        for row in rows {
            let name = Comment(rawValue: "\(kind) \(row.fault)")
            let result = try #require(row.outcome.wait(for: 1).first, name)
            let store = row.router.stores[0]
            switch (row.fault.outcome(of: kind), result) {
            case (.bytes, .success(let bytes)): #expect(bytes == row.block.plain, name)
            case (.failure(let errno, let text, let remedy), .failure(let error)):
                #expect(error.errno == errno, name)
                let start = "block \(row.block.reference.id): \(store.address): \(text)"
                #expect(error.description.hasPrefix(start), name)
                #expect(error.description.hasSuffix("; \(remedy)"), name)
                #expect(store.statistics.failures.values.reduce(0, +) > 0, name)
            default: Issue.record("\(name): \(result)")
            }
        }
        for row in rows {
            guard let proxy = row.proxy else { continue }
            try proxy.set(.none)
            proxy.breakConnections()
            fetch(row, fetcher)
        }
        for row in rows where row.proxy != nil {
            #expect(row.outcome.wait(for: 2).last == .success(row.block.plain), "\(kind) \(row.fault)")
            #expect(row.router.stores[0].isHealthy, "\(kind) \(row.fault)")
        }
        #expect(eventually { fetcher.statistics.inFlight == 0 })
    }

    @Test("beside a good one: its bytes, always", arguments: StoreKind.allCases)
    func beside(kind: StoreKind) throws {
        let server = try FaultyServer(kind)
        let encrypted = kind == .redis ? nil : try FaultyServer(kind, tls: true)
        let good = try FaultyServer(kind)
        let fetcher = BlockFetcher(options: Self.options)
        defer { fetcher.shutdown() }
        let other = try TestBlock(1000)
        let rows = try StoreFault.allCases.filter { $0.isPossible(with: kind) }.enumerated().map { number, fault in
            let block = try TestBlock(number)
            try good.put(block.reference.id.bytes, "\(block.reference.id)", block.stored)
            return try start(
                fault, block, server, encrypted: encrypted, other: other, replica: good.address(good.port), fetcher)
        }
        defer { for row in rows { row.router.close() } }
        for row in rows {
            let name = Comment(rawValue: "\(kind) \(row.fault)")
            #expect(row.outcome.wait(for: 1) == [.success(row.block.plain)], name)
            guard row.fault.outcome(of: kind) != .bytes else { continue }
            let (bad, replica) = (row.router.stores[0], row.router.stores[1])
            // One that is late may have been overtaken: then its read is cancelled a moment after.
            #expect(eventually { bad.statistics.failures.values.reduce(0, +) > 0 }, name)
            #expect(replica.statistics.blocks == 1, name)
        }
        #expect(fetcher.statistics.failures == 0)
    }
}
