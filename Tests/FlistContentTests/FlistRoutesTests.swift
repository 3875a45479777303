import BlockStore
import FlistImage
import Support
import TestSupport
import Testing

@testable import FlistContent

@Suite("Routes of a flist")
struct FlistRoutesTests {
    private func table(
        stores: [String] = [], fallback: [String] = [], router: RouteTable? = nil, log: LogLines = LogLines(),
        size: Int = 10,
        _ change: (inout TreeIndexInfo) -> Void
    ) throws -> RouteTable {
        let flist = try TestFlist(size, info: change)
        var choice = StoreChoice()
        choice.stores = try stores.map { try StoreRoute(parsing: $0) }
        choice.fallback = try fallback.map { try StoreRoute(parsing: $0) }
        choice.router = router
        return try FlistRoutes.table(for: flist.index, stores: choice, logger: log.logger)
    }

    private static let yaml = Array(
        """
        pools:
          own: {"00:FF": "zdb://yaml:9900"}
        lookup: [own]
        cache: [own]
        """.utf8)

    @Test("the user's router, the user's stores, then what the flist says")
    func order() throws {
        let router = RouteTable(
            lookup: [RoutePool(name: "mine", routes: [try StoreRoute(parsing: "zdb://router:1")])],
            caches: [RoutePool(name: "mine", routes: [try StoreRoute(parsing: "zdb://cache:1")])])
        let table = try table(stores: ["dir:///a", "00-7f=dir:///b"], router: router) { info in
            info.routes = [
                ImageRoute(start: 0, end: 0x7f, url: "zdb://low:1"),
                ImageRoute(start: 0x80, end: 0xff, url: "zdb://high:2"),
            ]
            info.routerYAML = Self.yaml
            info.backend = ImageBackend(host: "backend", port: 9900, namespace: "ns")
        }
        #expect(table.lookup.map(\.name) == ["mine", "--store", "flist", "own", "backend"])
        #expect(table.lookup[1].routes == (try ["dir:///a", "00-7f=dir:///b"].map { try StoreRoute(parsing: $0) }))
        #expect(table.lookup[2].routes.map(\.description) == ["00-7f=zdb://low:1", "80-ff=zdb://high:2"])
        #expect(table.lookup[3].routes.map(\.url) == [try StoreURL(parsing: "zdb://yaml:9900")])
        let backend = try StoreURL.zdb(
            host: "backend", port: 9900, namespace: "ns", password: nil, token: nil, socket: nil)
        #expect(table.lookup[4].routes.map(\.url) == [backend])
        #expect(table.caches.map(\.name) == ["mine", "own"])
    }

    @Test("a bad address in the flist is an error only without stores of the user's", arguments: [true, false])
    func badRoute(inYAML: Bool) throws {
        func change(_ info: inout TreeIndexInfo) {
            if inYAML {
                info.routerYAML = Array("pools: [".utf8)
            } else {
                info.routes = [ImageRoute(start: 0, end: 255, url: "gopher://x")]
            }
        }
        #expect(throws: FlistError.self) { try table(change) }
        let log = LogLines()
        #expect(try table(stores: ["dir:///a"], log: log, change).lookup.map(\.name) == ["--store"])
        #expect(log.all.count == 1)
        #expect(log.all.first?.hasPrefix("warning the flist's own stores are left out error=") == true)
    }

    @Test("the fallback is asked only where nothing else names a store, or the flist's own is no address")
    func fallback() throws {
        #expect(try table(fallback: ["zdb://hub:1"]) { _ in }.lookup.map(\.name) == ["fallback"])
        #expect(try table(stores: ["dir:///a"], fallback: ["zdb://hub:1"]) { _ in }.lookup.map(\.name) == ["--store"])
        let named = try table(fallback: ["zdb://hub:1"]) { info in
            info.routes = [ImageRoute(start: 0, end: 0xff, url: "zdb://own:1")]
        }
        #expect(named.lookup.map(\.name) == ["flist"])
        let bad = try table(fallback: ["zdb://hub:1"]) { info in
            info.routes = [ImageRoute(start: 0, end: 255, url: "gopher://x")]
        }
        #expect(bad.lookup.map(\.name) == ["fallback"])
    }

    @Test("a flist that names no store needs one, unless it has no blocks")
    func none() throws {
        let error = #expect(throws: FlistError.self) { try table { _ in } }
        #expect(error?.code == .usage)
        #expect(try table(size: 0) { _ in }.lookup.isEmpty)
    }
}
