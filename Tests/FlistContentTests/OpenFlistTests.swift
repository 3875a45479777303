import BlockCodec
import BlockStore
import FlistContent
import FlistImage
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Opening flists for reading")
final class OpenFlistTests {
    private let folder: String
    private let bytes = [UInt8](repeating: 7, count: 524_288) + [1, 2, 3]

    init() throws {
        folder = "/var/tmp/flist-test-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A flist of one file of two blocks and a hole between, its blocks in `folder`/blocks.
    private func make(routes: [String]) throws -> String {
        let path = "\(folder)/tree.fl"
        let router = try BlockRouter(RouteTable(routes: [StoreRoute(parsing: "dir://\(folder)/blocks")]))
        defer { router.close() }
        var encoder = BlockEncoder(codec: .gcmZstd)
        let writer = try FlistWriter(path, kind: .zstd)
        var root = TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o755)
        root.mtime = Timestamp(seconds: 1)
        try writer.add(root)
        var file = TreeEntry(id: 2, parent: 1, name: Array("file".utf8), type: .regular, permissions: 0o644)
        file.size = 2 * 524_288 + 3
        try writer.add(file)
        for part in [Array(bytes[..<524_288]), nil, Array(bytes[524_288...])] as [[UInt8]?] {
            guard let part else {
                try writer.addHole(to: 2)
                continue
            }
            try part.withUnsafeBytes { plain in
                let block = try encoder.encode(plain)
                try router.put(block.reference.id, block.stored)
                try writer.addBlock(to: 2, blockID: block.reference.id, key: block.reference.key)
            }
        }
        for route in routes { try writer.addRoute(ImageRoute(start: 0, end: 255, url: route)) }
        try writer.finish()
        return path
    }

    private func read(_ open: OpenFlist, _ range: Range<UInt64>) throws -> [UInt8] {
        let inode = try #require(open.index.resolve(path: Array("file".utf8)))
        let file = try #require(open.content.file(inode))
        let outcome = Monitor<Result<[UInt8], FetchError>?>(nil)
        file.read(range) { result in
            let copy = result.map { [UInt8]($0) }
            outcome.withLock { $0 = copy }
            outcome.signal()
        }
        return try outcome.wait { $0 }.get()
    }

    private func options(_ stores: [String] = [], cache: Bool = false) throws -> ContentOptions {
        var options = ContentOptions()
        options.cacheFolder = cache ? "\(folder)/cache" : nil
        options.stores = try stores.map { try StoreRoute(parsing: $0) }
        return options
    }

    @Test("reads across blocks and holes, with and without a cache", .timeLimit(.minutes(1)), arguments: [true, false])
    func acrossBlocks(cache: Bool) throws {
        let open = try OpenFlist(make(routes: ["dir://\(folder)/blocks"]), options: options(cache: cache))
        defer { open.close() }
        let whole = Array(bytes[..<524_288]) + [UInt8](repeating: 0, count: 524_288) + [1, 2, 3]
        for range in [0..<1_048_579, 524_280..<524_300, 524_288..<524_289, 600_000..<700_000, 1_048_570..<1_048_579] {
            #expect(try read(open, UInt64(range.lowerBound)..<UInt64(range.upperBound)) == Array(whole[range]))
        }
        if cache { #expect(open.fetcher.statistics.blocks == 2) }
    }

    @Test("many readers of one block cause one fetch", .timeLimit(.minutes(1)))
    func joined() throws {
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port, fault: .delay(.milliseconds(100)))
        let path = try make(routes: ["redis://127.0.0.1:\(proxy.port)"])
        for name in try FileManager.default.subpathsOfDirectory(atPath: "\(folder)/blocks") where name.contains("/") {
            let id = try #require(Digest(hex: String(name.split(separator: "/")[1])))
            try redis.set(id.bytes, [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/blocks/\(name)"))))
        }
        let open = try OpenFlist(path, options: options(cache: true))
        defer { open.close() }
        let inode = try #require(open.index.resolve(path: Array("file".utf8)))
        let file = try #require(open.content.file(inode))
        let answers = Monitor<[Int]>([])
        for reader in 0..<8 {
            let start = UInt64(1_048_576)
            file.read(start..<start + 3) { result in
                let count = (try? result.get().count) ?? -reader
                answers.withLock { $0.append(count) }
                answers.broadcast()
            }
        }
        #expect(answers.wait { $0.count == 8 ? $0 : nil } == [Int](repeating: 3, count: 8))
        #expect(open.fetcher.statistics.blocks == 1)
        #expect(try redis.info("commandstats", "cmdstat_get")?.hasPrefix("calls=1,") == true)
    }

    @Test("stores of the user come before those of the flist, which remain", .timeLimit(.minutes(1)))
    func order() throws {
        let path = try make(routes: ["dir://\(folder)/blocks"])
        let open = try OpenFlist(path, options: options(["dir://\(folder)/empty"]))
        defer { open.close() }
        #expect(open.router.table.lookup.map(\.name) == ["--store", "flist"])
        #expect(try read(open, 0..<3) == [7, 7, 7])
        let asked = open.router.stores.map { $0.statistics.requests }
        #expect(asked == [1, 1])
    }

    @Test("a bad address in the flist matters only when there is no other")
    func badRoute() throws {
        let path = try make(routes: ["gopher://example.org/"])
        #expect(throws: FlistError.self) { try OpenFlist(path, options: self.options()) }
        let open = try OpenFlist(path, options: options(["dir://\(folder)/blocks"]))
        defer { open.close() }
        #expect(try read(open, 0..<1) == [7])
    }

    @Test("a flist with blocks but no stores says what to do")
    func noRoute() throws {
        let path = try make(routes: [])
        let error = #expect(throws: FlistError.self) { try OpenFlist(path, options: self.options()) }
        #expect(
            error?.message
                == "the flist does not say where its blocks are: name a store, as in --store zdb://hub.grid.tf:9900")
    }

    @Test("a flist is opened from a web server", .timeLimit(.minutes(1)))
    func url() throws {
        let path = try make(routes: ["dir://\(folder)/blocks"])
        let server = try NginxServer()
        try server.write([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))), to: "images/tree.fl")
        let open = try OpenFlist("\(server.url)/images/tree.fl", options: options(cache: true))
        defer { open.close() }
        #expect(open.index.summary.entries == 2)
        #expect(try read(open, 0..<1) == [7])
        let error = #expect(throws: FlistError.self) {
            try OpenFlist("\(server.url)/images/none.fl", options: self.options())
        }
        #expect(error?.code == .notFound)
    }

    @Test(
        "an address is shown without its secrets",
        arguments: [
            ("http://host/a.fl", "http://host/a.fl"), ("https://me:pw@host:8/a@b.fl?t=1#x", "https://host:8/a@b.fl"),
            ("/a/b@c.fl", "/a/b@c.fl"), ("http://me@host", "http://host"),
        ])
    func shown(argument: String, text: String) { #expect(FlistLocation.shown(argument) == text) }
}
