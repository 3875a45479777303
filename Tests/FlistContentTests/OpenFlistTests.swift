import BlockStore
import FlistImage
import Foundation
import Support
import TestSupport
import Testing

@testable import FlistContent

@Suite("Opening flists", .timeLimit(.minutes(1)))
struct OpenFlistTests {
    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/zflist-mini/mini.flist").path

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
        options.stores = [try StoreRoute(parsing: "zdb://127.0.0.1:\(LoopbackPort.free())")]
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
}
