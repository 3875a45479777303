import Foundation
import Support
import TestSupport
import Testing

@testable import BlockStore

@Suite("HTTP store with its own bounds", .timeLimit(.minutes(5)))
struct HTTPBoundTests {
    @Test("waits for a silent server as long as its caller does, beyond the client's own limit")
    func patience() throws {
        let block = HTTPTestBlocks.block(1)
        let server = try RawHTTPServer { _ in [.pause(.seconds(4)), .answer(200, body: block.bytes)] }
        defer { server.close() }
        var options = HTTPOptions()
        options.lowSpeedTime = .seconds(1)
        let store = HTTPStore(base: server.url, timeout: .seconds(10), engine: HTTPEngine(options))
        defer { store.close() }
        #expect(HTTPTestBlocks.read([block.id], from: store) == [.success(block.bytes)])
        #expect(server.requests.count == 1)
    }
}

@Suite(
    "HTTP store over TLS and HTTP/2", .enabled(if: NginxServer.isInstalled, "needs nginx"), .timeLimit(.minutes(5)))
struct HTTPEncryptedTests {
    @Test("shares few connections between many blocks where the server speaks HTTP/2")
    func multiplexing() throws {
        let server = try NginxServer(tls: true)
        let blocks = (0..<200).map { HTTPTestBlocks.block($0, count: 20_000) }
        for block in blocks { try server.write(block.bytes, to: HTTPTestBlocks.path(block.id)) }
        var options = HTTPOptions()
        options.certificateAuthorities = server.certificate
        let store = HTTPStore(base: server.url, timeout: .seconds(10), engine: HTTPEngine(options))
        defer { store.close() }
        let results = HTTPTestBlocks.read(blocks.map(\.id), from: store)
        #expect(results == blocks.map { .success($0.bytes) })
        let requests = try server.requests()
        #expect(Set(requests.map(\.version)) == ["HTTP/2.0"])
        #expect(Set(requests.map(\.connection)).count <= 8)
    }

    @Test("refuses a certificate that the system does not trust, for blocks and for downloads")
    func untrusted() throws {
        let server = try NginxServer(tls: true)
        let store = HTTPStore(base: server.url)
        defer { store.close() }
        #expect {
            try HTTPTestBlocks.read(HTTPTestBlocks.block(1).id, from: store)
        } throws: { error in
            guard case StoreError.refused(let text) = error else { return false }
            return text.hasPrefix("its certificate is not trusted (SSL certificate problem")
        }
        let null = try FileDescriptor("/dev/null", O_WRONLY)
        do {
            try HTTPDownload.download("\(server.url)/x", to: null)
            Issue.record("it was downloaded")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.message.hasSuffix("check the clock and the package ca-certificates"))
        }
    }
}
