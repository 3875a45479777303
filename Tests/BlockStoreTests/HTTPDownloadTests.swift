import BlockStore
import Foundation
import Glibc
import Support
import Synchronization
import TestSupport
import Testing

@Suite("HTTP download", .timeLimit(.minutes(5)))
struct HTTPDownloadTests {
    private static let content = HTTPTestBlocks.block(5, count: 300_000).bytes

    /// The outcome, and what the file holds.
    private func download(
        _ url: String, _ options: HTTPDownload.Options = .init(), progress: HTTPDownload.Progress? = nil
    ) throws -> [UInt8] {
        let path = "\(NSTemporaryDirectory())flist-test-download-\(UUID().uuidString)"
        defer { unlink(path) }
        let file = try FileDescriptor(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        let count = try HTTPDownload.download(url, to: file, options: options, progress: progress)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(bytes.count == Int(count))
        return bytes
    }

    private func server() throws -> RawHTTPServer {
        try RawHTTPServer { request in
            switch request.path {
            case "/file", "/file?x=1": [.answer(200, body: Self.content)]
            case "/moved": [.answer(302, headers: ["Location: /file"])]
            case "/round": [.answer(302, headers: ["Location: /round"])]
            case "/passwd": [.answer(302, headers: ["Location: file:///etc/passwd"])]
            case "/empty": [.answer(200)]
            case "/short": [.raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789".utf8)), .close]
            case "/silent": [.pause(.seconds(5)), .close]
            case "/stream": [.raw(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)), .raw(Self.content), .close]
            case "/busy": [.answer(503, body: Array("go away".utf8))]
            case "/private":
                request.headers["authorization"] == "Basic YTpi" ? [.answer(200, body: [7])] : [.answer(401)]
            default: [.answer(404, body: Array("no such file".utf8))]
            }
        }
    }

    private func expect(_ code: FlistError.Code, _ message: String, _ body: () throws -> [UInt8]) {
        #expect {
            _ = try body()
        } throws: { error in
            let error = error as? FlistError
            #expect(error?.description == message)
            return error?.code == code
        }
    }

    @Test("fetches a file, directly and over a redirect, and an empty one", arguments: ["file", "moved", "file?x=1#y"])
    func files(path: String) throws {
        let server = try server()
        defer { server.close() }
        #expect(try download("\(server.url)/\(path)") == Self.content)
        #expect(try download("\(server.url)/empty") == [])
        #expect(try download("http://a:b@127.0.0.1:\(server.port)/private") == [7])
    }

    @Test("tells how far it is")
    func progress() throws {
        let server = try server()
        defer { server.close() }
        var calls: [(UInt64, UInt64?)] = []
        _ = try download("\(server.url)/file") { calls.append(($0, $1)) }
        #expect(calls.last?.0 == 300_000)
        #expect(calls.allSatisfy { $0.1 == 300_000 })
        #expect(calls.map(\.0) == calls.map(\.0).sorted())
    }

    @Test("names address, status and remedy")
    func failures() throws {
        let server = try server()
        defer { server.close() }
        let url = server.url
        expect(.notFound, "cannot download \(url)/nothing: 404 Not Found") { try download("\(url)/nothing") }
        expect(
            .unavailable,
            "cannot download \(url)/busy: 503 Service Unavailable; the server cannot serve it now, try again later"
        ) { try download("\(url)/busy") }
        expect(
            .permission,
            "cannot download \(url)/private: 401 Unauthorized; "
                + "put user and password into the address: https://user:password@..."
        ) { try download("http://a:secret@127.0.0.1:\(server.port)/private") }
        expect(.unavailable, "cannot download \(url)/round: Maximum (5) redirects followed") {
            try download("\(url)/round")
        }
        expect(
            .unavailable, "cannot download \(url)/passwd: Protocol \"file\" not supported or disabled in libcurl"
        ) { try download("\(url)/passwd") }
        expect(.unavailable, "cannot download \(url)/short: the connection ended after 10 B; try again") {
            try download("\(url)/short")
        }
        expect(
            .usage,
            "cannot download file:///etc/passwd: only http:// and https:// addresses can be fetched"
        ) { try download("file:///etc/passwd") }
    }

    @Test("stops at the limit, with and without an announced length", arguments: ["file", "stream"])
    func limit(path: String) throws {
        let server = try server()
        defer { server.close() }
        #expect(try download("\(server.url)/\(path)", .init(limit: 300_000)) == Self.content)
        expect(
            .invalid, "cannot download \(server.url)/\(path): it has more than the 293.0 KiB that are allowed"
        ) { try download("\(server.url)/\(path)", .init(limit: 299_999)) }
    }

    @Test(
        "gives up in time, and when nothing comes",
        arguments: [
            HTTPDownload.Options(timeout: .milliseconds(300)), HTTPDownload.Options(stallTimeout: .seconds(1)),
        ])
    func timeout(options: HTTPDownload.Options) throws {
        let server = try server()
        defer { server.close() }
        #expect {
            try download("\(server.url)/silent", options)
        } throws: { ($0 as? FlistError)?.code == .timedOut }
    }
}
