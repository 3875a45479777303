import BlockStore
import Support
import Testing

@Suite("router.yaml")
struct RouterYAMLTests {
    private func parse(_ text: String) throws(FlistError) -> RouteTable {
        try RouteTable.parse(routerYAML: Array(text.utf8), name: "router.yaml")
    }

    @Test("reads pools, lookup order and caches")
    func whole() throws {
        let table = try parse(
            """
            # a comment
            pools:
              private:
                00:7F: zdb://secret@hub1:9900
                "80:FF": ardb://hub2:16379
              public: {000:FFF: "redis://hub3:6379"}
              local:
                00:FF: zdb://127.0.0.1:9900
            lookup: [local, private, public]
            cache:
              - local
            other: ignored
            """)
        #expect(table.lookup.map(\.name) == ["local", "private", "public"])
        #expect(table.caches.map(\.name) == ["local"])
        #expect(table.lookup[1].routes.map(\.description) == ["00-7f=zdb://hub1:9900", "80-ff=ardb://hub2:16379"])
        #expect(table.lookup[1].routes[0].url.user == "secret")
        #expect(table.lookup[2].routes[0].range.last == [0xff, 0xf0])
        let merged = table.merged(with: RouteTable(routes: [try StoreRoute(parsing: "zdb://fallback")]))
        #expect(merged.lookup.map(\.name) == ["local", "private", "public", "stores"])
    }

    @Test(
        "refuses what is none",
        arguments: [
            "", "pools", "[]", "pools: {}", "lookup: [a]", "pools: {a: {00: 'zdb://h'}}\nlookup: []",
            "pools: {a: {00: 'zdb://h'}}\nlookup: [b]", "pools: {a: {00: 'zdb://h'}}\nlookup: a",
            "pools: {a: {00: 'zdb://h'}}\nlookup: [[a]]", "pools: {a: {zz: 'zdb://h'}}\nlookup: [a]",
            "pools: {a: {00: 'nope'}}\nlookup: [a]", "pools: {a: {00: [1]}}\nlookup: [a]", "pools: {a: 1}\nlookup: [a]",
            "pools: {a: &x {00: 'zdb://h'}}\nlookup: [a]", "pools: {a: *x}\nlookup: [a]", "pools: {a: {}, a: {}}",
            "pools: {a: {00: 'zdb://h'}}\nlookup: [a]\n---\nx: y", "pools: {a: {00: \"zdb://h\nlookup", "\t- x: [",
            "pools: {[a]: {}}", "\u{0}", "pools: {a: {00: 'zdb://h'}}\nlookup: [a]\ncache: [c]",
        ])
    func refusals(text: String) throws {
        let error = try #require(throws: FlistError.self) { try parse(text) }
        #expect(error.code == .invalid)
        #expect(error.description.contains("router.yaml"))
        #expect(!error.description.contains("\n"))
    }

    @Test("bounds size, depth and number")
    func bounds() throws {
        #expect(throws: FlistError.self) { try parse(String(repeating: "#", count: (1 << 20) + 1)) }
        #expect(throws: FlistError.self) { try parse(String(repeating: "[", count: 100_000)) }
        #expect(throws: FlistError.self) { try parse("[" + String(repeating: "1,", count: 200_000) + "1]") }
        #expect(throws: FlistError.self) {
            try RouteTable.parse(routerYAML: [0xff, 0xfe, 0x00, 0xd8, 0x61], name: "router.yaml")
        }
    }

    @Test("refuses bytes that are no UTF-8")
    func encoding() throws {
        #expect(throws: FlistError.self) {
            try RouteTable.parse(routerYAML: Array("pools: {".utf8) + [0xff, 0xff], name: "router.yaml")
        }
    }
}
