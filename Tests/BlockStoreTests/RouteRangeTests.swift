import BlockStore
import Support
import Testing

@Suite("Route ranges")
struct RouteRangeTests {
    private func id(_ prefix: [UInt8]) throws -> Digest {
        try #require(Digest(prefix + [UInt8](repeating: 0x80, count: 16 - prefix.count)))
    }

    @Test(
        "reads ranges of any length and case",
        arguments: [
            ("00-ff", [0x00], [0xff]), ("00:FF", [0x00], [0xff]), ("A0", [0xa0], [0xa0]), ("a", [0xa0], [0xa0]),
            ("000:FFF", [0x00, 0x00], [0xff, 0xf0]), ("1234:5678", [0x12, 0x34], [0x56, 0x78]),
        ] as [(String, [UInt8], [UInt8])])
    func parsing(text: String, first: [UInt8], last: [UInt8]) throws {
        #expect(try RouteRange(parsing: text) == RouteRange(first: first, last: last))
    }

    @Test("refuses what is no range", arguments: ["", "-", "zz", "00-", "-ff", "00-01-02", "10-0f", "00-ffff", "0x"])
    func refusals(text: String) {
        #expect(throws: FlistError.self) { try RouteRange(parsing: text) }
    }

    @Test("is inclusive at both ends, on all leading bytes")
    func inclusive() throws {
        let range = try RouteRange(parsing: "10ff:2000")
        #expect(!range.contains(try id([0x10, 0xfe])))
        #expect(range.contains(try id([0x10, 0xff])))
        #expect(range.contains(try id([0x1f, 0x00])))
        #expect(range.contains(try id([0x20, 0x00])))
        #expect(!range.contains(try id([0x20, 0x01])))
        #expect(RouteRange.all.contains(try id([0x00])))
        #expect(RouteRange.all.contains(try id([0xff])))
        let long = try RouteRange(
            first: [UInt8](repeating: 0, count: 20), last: [UInt8](repeating: 255, count: 20))
        #expect(!long.contains(try id([0x00])))
    }

    @Test("reads routes with and without a range")
    func routes() throws {
        #expect(try StoreRoute(parsing: "zdb://h").range == .all)
        let route = try StoreRoute(parsing: "00-7F=zdb://h?connections=2")
        #expect(route.range.description == "00-7f")
        #expect(route.url.connections == 2)
        #expect(route.description == "00-7f=zdb://h")
        #expect(throws: FlistError.self) { try StoreRoute(parsing: "0g-7f=zdb://h") }
    }
}
