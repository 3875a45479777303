import BlockStore
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@testable import BlockCache
@testable import FlistContent

@Suite("File contents", .timeLimit(.minutes(5)))
struct ContentFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Ranges at and around the edges of blocks of 4,096 bytes, of a file of 41,060.
    private static let ranges = [
        0..<1, 0..<4096, 4095..<4097, 100..<200, 4096..<12_288, 1..<40_959, 8191..<16_385, 40_000..<41_060,
        41_059..<41_060, 41_000..<50_000, 41_060..<41_061, 60_000..<60_001, 0..<41_060,
    ]

    @Test("every read is exact, first and again, with a cache and without", arguments: [true, false])
    func exact(hasCache: Bool) throws {
        let flist = try TestFlist(41_060, holes: [3, 4])
        try flist.upload(to: "\(folder.path)/store")
        let router = try BlockRouter(RouteTable(routes: [StoreRoute(parsing: "dir://\(folder.path)/store")]))
        for _ in 0..<2 {
            let fixture = try ReaderFixture(flist, router: router, cache: hasCache ? "\(folder.path)/cache" : nil)
            for range in Self.ranges + Self.ranges.reversed() {
                let expected = flist.contents[0][range.clamped(to: 0..<41_060)]
                #expect(try fixture.read(range) == Array(expected), "\(range)")
            }
            #expect(fixture.reader.statistics.failedReads == 0)
            if !hasCache { #expect(fixture.reader.statistics.localReads <= 4) }
        }
    }

    @Test("holes are zeros and need no store")
    func holes() throws {
        let flist = try TestFlist(20_000, holes: [0, 1, 2, 3, 4])
        let fixture = try ReaderFixture(flist, from: GateStore(flist, isOpen: false))
        #expect(try fixture.read(0..<20_000) == [UInt8](repeating: 0, count: 20_000))
        #expect(try fixture.read(5000..<5001) == [0])
        #expect(fixture.fetcher.statistics.blocks == 0)
    }

    @Test("empty, misplaced and overlong reads are answered with what there is")
    func odd() throws {
        let flist = try TestFlist(5000, 0)
        let fixture = try ReaderFixture(flist, from: GateStore(flist))
        let file = try fixture.file()
        for (range, expected) in [
            (UInt64(0)..<0, 0), (5000..<6000, 0), (UInt64.max - 1..<UInt64.max, 0), (4999..<UInt64.max, 1),
            (0..<UInt64.max, 5000),
        ] {
            let pending = PendingRead()
            file.read(range) { pending.end($0) }
            #expect(try pending.bytes().count == expected)
        }
        #expect(file.clamp(offset: .max, count: .max) == 5000..<5000)
        #expect(file.clamp(offset: 4000, count: .max) == 4000..<5000)
        #expect(file.clamp(offset: 0, count: -1) == 0..<0)
        #expect(try fixture.read(0..<10, of: 1) == [])
    }

    @Test("what is waited for is asked before what may be wanted")
    func demandFirst() throws {
        let flist = try TestFlist(10 * 4096)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        #expect(try fixture.read(0..<100) == Array(flist.contents[0][0..<100]))
        #expect(store.wait(forRequests: 10))
        #expect(store.asked == (try (0..<10).map { try flist.id($0) }))
        #expect(fixture.reader.statistics.demandBlocks == 1)
        #expect(fixture.reader.statistics.readaheadBlocks == 9)
        fixture.settle()
        #expect(try fixture.read(0..<40_960) == flist.contents[0])
        #expect(fixture.reader.statistics.localReads == 1)
        #expect(store.asked.count == 10)
    }

    @Test("random readers cause no readahead")
    func random() throws {
        // Blocks 3 MiB apart: nearer ones count as in order.
        let flist = try TestFlist(12 << 20)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        for block in [2304, 768, 1536, 1] { _ = try fixture.read(block * 4096..<block * 4096 + 10) }
        fixture.settle()
        #expect(store.asked == (try [2304, 768, 1536, 1].map { try flist.id($0) }))
    }

    @Test("suspect blocks are verified, not fetched; damaged ones are fetched")
    func suspects() throws {
        let flist = try TestFlist(5 * 4096)
        let path = "\(folder.path)/cache"
        func read(boot: UInt8, blocks: [Int]) throws -> [Digest] {
            let store = GateStore(flist)
            let cache = try BlockCache(
                folder: path, options: .init(freeShare: 0), boot: BootID(Array(repeating: boot, count: 16)) ?? .none)
            let fetcher = BlockFetcher()
            let router = try BlockRouter(RouteTable(routes: [StoreRoute(parsing: "zdb://gate")])) {
                (_: StoreURL) throws(FlistError) in store
            }
            let reader = ContentReader(
                index: flist.index, cache: cache, fetcher: fetcher, router: router, logger: LogLines().logger)
            let file = try #require(reader.file(try flist.inode(0)))
            for block in blocks {
                let pending = PendingRead()
                let start = UInt64(block * 4096)
                // A read in the middle of the file: no readahead.
                file.read(start + 1..<start + 4096) { pending.end($0) }
                #expect(try pending.bytes() == Array(flist.contents[0][block * 4096 + 1..<(block + 1) * 4096]))
            }
            fetcher.shutdown()
            cache.abandon()
            return store.asked
        }
        #expect(try read(boot: 1, blocks: [3, 1]) == [flist.id(3), flist.id(1)])
        let partial = try FileManager.default.subpathsOfDirectory(atPath: "\(path)/partial")
        let data = try #require(partial.first { $0.count > 40 && !$0.hasSuffix(".map") })
        let handle = try FileDescriptor("\(path)/partial/\(data)", O_RDWR)
        _ = try [UInt8](repeating: 0, count: 8).withUnsafeBytes { try handle.write($0, at: 3 * 4096 + 50) }
        #expect(try read(boot: 2, blocks: [3, 1]) == [flist.id(3)])
    }

    @Test("a cache that is emptied under way costs fetches, not errors")
    func emptied() throws {
        let flist = try TestFlist(6 * 4096)
        let fixture = try ReaderFixture(flist, from: GateStore(flist), cache: "\(folder.path)/cache")
        #expect(try fixture.read(0..<24_576) == flist.contents[0])
        fixture.settle()
        let cache = try #require(fixture.cache)
        try truncateAll("\(cache.folder)/fresh")
        #expect(try fixture.read(0..<24_576) == flist.contents[0])
        #expect(try fixture.read(5000..<9000) == Array(flist.contents[0][5000..<9000]))
    }

    private func truncateAll(_ folder: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            chmod("\(folder)/\(name)", 0o600)
            #expect(truncate("\(folder)/\(name)", 0) == 0)
        }
    }

    @Test("files are let go of when too many are open, and read on")
    func many() throws {
        let flist = try TestFlist(100, 200, 4096, 9000)
        let fixture = try ReaderFixture(flist, from: GateStore(flist), cache: "\(folder.path)/cache")
        let held = try fixture.file(3)
        for round in 0..<3 {
            for number in 0..<4 {
                #expect(try fixture.read(0..<10_000, of: number) == flist.contents[number], "round \(round)")
            }
        }
        #expect(try fixture.file(3) === held)
    }
}
