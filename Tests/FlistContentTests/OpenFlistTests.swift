import BlockStore
import FlistImage
import Foundation
import Support
import TestSupport
import Testing

@testable import FlistContent

@Suite("Opening flists", .timeLimit(.minutes(5)))
struct OpenFlistTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/zflist-mini").path
    private static let fixture = "\(fixtures)/mini.flist"

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
        "tells addresses from paths",
        arguments: [
            ("http://a/b.flist", true), ("https://a", true), ("/http://a", false), ("a.flist", false), ("", false),
            ("ftp://a", false),
        ])
    func addresses(argument: String, isURL: Bool) { #expect(FlistLocation.isURL(argument) == isURL) }

    @Test("a downloaded flist is the same as the file", .enabled(if: NginxServer.isInstalled))
    func download() throws {
        let server = try NginxServer()
        try server.write([UInt8](Data(contentsOf: URL(fileURLWithPath: Self.fixture))), to: "a/mini.flist")
        let local = try FlistLocation.open(Self.fixture, indexFolder: nil)
        let remote = try FlistLocation.open("\(server.url)/a/mini.flist", indexFolder: nil)
        #expect(remote.summary == local.summary)
        #expect(try FlistLocation.open("\(server.url)/a/mini.flist", indexFolder: folder.path).summary == local.summary)
    }

    @Test("errors of a download name the address", .enabled(if: NginxServer.isInstalled))
    func errors() throws {
        let server = try NginxServer()
        try server.write(Array("this is no flist".utf8), to: "bad.flist")
        for name in ["bad.flist", "missing.flist"] {
            let error = #expect(throws: FlistError.self) {
                try FlistLocation.open("\(server.url)/\(name)", indexFolder: nil)
            }
            #expect(error?.description.contains("\(server.url)/\(name)") == true)
            #expect(error?.description.contains("/proc/") == false)
        }
    }

    @Test("closing answers reads under way, and may be done twice")
    func close() throws {
        var options = ContentOptions()
        options.cacheFolder = "\(folder.path)/cache"
        // Nobody listens there: reads wait for a better time.
        options.stores.stores = [try StoreRoute(parsing: "zdb://127.0.0.1:\(LoopbackPort.free())")]
        let open = try OpenFlist(Self.fixture, options: options)
        let inodes = (1...UInt32(open.index.summary.inodes)).filter { (open.content.file($0)?.size ?? 0) > 0 }
        try #require(!inodes.isEmpty)
        let reads = try inodes.map { inode in
            let (read, file) = (PendingRead(), try #require(open.content.file(inode)))
            file.read(0..<min(file.size, 100)) { read.end($0) }
            return read
        }
        open.close()
        #expect(reads.allSatisfy { $0.ends == 1 })
        open.close()
        let late = PendingRead()
        open.content.file(inodes[0])?.read(0..<1) { late.end($0) }
        #expect(throws: FetchError.cancelled) { try late.bytes() }
    }

    @Test("flists that share cache and fetcher are closed one by one")
    func sharing() throws {
        let resources = try ContentResources(cacheFolder: "\(folder.path)/shared")
        defer { resources.close() }
        func open(_ stores: StoreChoice) throws -> OpenFlist {
            try OpenFlist(Self.fixture, sharing: resources, stores: stores, logger: LogLines().logger)
        }
        var (good, gone) = (StoreChoice(), StoreChoice())
        good.stores = [try StoreRoute(parsing: "dir://\(Self.fixtures)/blocks")]
        gone.stores = [try StoreRoute(parsing: "zdb://127.0.0.1:\(LoopbackPort.free())")]
        let (first, second) = (try open(gone), try open(good))
        #expect(first.cache === second.cache)
        let inode = try #require(
            (1...UInt32(first.index.summary.inodes)).first { (first.content.file($0)?.size ?? 0) > 100 })
        let read = PendingRead()
        first.content.file(inode)?.read(0..<100) { read.end($0) }
        first.close()
        // The store is asked no more, though the fetch's own time is a minute.
        #expect(throws: (any Error).self) { try read.bytes() }
        let other = PendingRead()
        second.content.file(inode)?.read(0..<100) { other.end($0) }
        #expect(try other.bytes().count == 100)
        second.close()
    }
}
