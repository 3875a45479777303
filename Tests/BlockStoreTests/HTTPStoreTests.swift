import BlockStore
import Support
import TestSupport
import Testing

@Suite("HTTP store over nginx", .enabled(if: NginxServer.isInstalled, "needs nginx"), .timeLimit(.minutes(5)))
struct HTTPStoreTests {
    @Test("reads blocks of both layouts", arguments: [true, false])
    func layouts(isSplit: Bool) throws {
        let server = try NginxServer()
        let blocks = (0..<20).map { HTTPTestBlocks.block($0) }
        for block in blocks {
            try server.write(block.bytes, to: isSplit ? HTTPTestBlocks.path(block.id) : "\(block.id)")
        }
        let store = HTTPStore(base: server.url)
        defer { store.close() }
        let results = HTTPTestBlocks.read(blocks.map(\.id), from: store)
        #expect(results == blocks.map { .success($0.bytes) })
        #expect(try store.contains(blocks.map(\.id)) == blocks.map { _ in true })
    }

    @Test("takes a base with a path and slashes at its end")
    func slashes() throws {
        let server = try NginxServer()
        let block = HTTPTestBlocks.block(1)
        try server.write(block.bytes, to: "deep/store/\(HTTPTestBlocks.path(block.id))")
        let store = HTTPStore(base: "\(server.url)/deep/store//")
        defer { store.close() }
        #expect(try HTTPTestBlocks.read(block.id, from: store) == block.bytes)
    }

    @Test("tells which of several blocks are there, whatever their layout")
    func contains() throws {
        let server = try NginxServer()
        let (split, flat, absent) = (HTTPTestBlocks.block(1), HTTPTestBlocks.block(2), HTTPTestBlocks.block(3))
        try server.write(split.bytes, to: HTTPTestBlocks.path(split.id))
        try server.write(flat.bytes, to: "\(flat.id)")
        let store = HTTPStore(base: server.url)
        defer { store.close() }
        #expect(try store.contains([absent.id, flat.id, split.id]) == [false, true, true])
        #expect(throws: StoreError.missing) { try HTTPTestBlocks.read(absent.id, from: store) }
    }

    @Test("does not write")
    func put() throws {
        let store = HTTPStore(base: "http://127.0.0.1:1")
        defer { store.close() }
        #expect {
            try HTTPTestBlocks.put(HTTPTestBlocks.block(1), into: store)
        } throws: { error in
            guard case StoreError.refused(let text) = error else { return false }
            return text.hasPrefix("read only: ")
        }
    }

    @Test("follows a redirect within http, and no further than five")
    func redirects() throws {
        let server = try NginxServer(
            locations: """
                location /once/ { rewrite ^/once/(.*)$ /$1 redirect; }
                location /round/ { return 302 $request_uri; }
                location /file/ { return 302 file:///etc/passwd; }
                """)
        let block = HTTPTestBlocks.block(1)
        try server.write(block.bytes, to: HTTPTestBlocks.path(block.id))
        let once = HTTPStore(base: "\(server.url)/once")
        let round = HTTPStore(base: "\(server.url)/round")
        let file = HTTPStore(base: "\(server.url)/file")
        defer { for store in [once, round, file] { store.close() } }
        #expect(try HTTPTestBlocks.read(block.id, from: once) == block.bytes)
        #expect(throws: StoreError.protocolViolation("Maximum (5) redirects followed")) {
            try HTTPTestBlocks.read(block.id, from: round)
        }
        #expect(throws: StoreError.protocolViolation("Protocol \"file\" not supported or disabled in libcurl")) {
            try HTTPTestBlocks.read(block.id, from: file)
        }
    }

    @Test("refuses a block that is larger than it may be, and takes one that is just as large")
    func limit() throws {
        let server = try NginxServer()
        let block = HTTPTestBlocks.block(1)
        try server.write(block.bytes, to: HTTPTestBlocks.path(block.id))
        let store = HTTPStore(base: server.url)
        defer { store.close() }
        #expect(try HTTPTestBlocks.read(block.id, from: store, maximumLength: 1000) == block.bytes)
        #expect(throws: StoreError.tooLarge) { try HTTPTestBlocks.read(block.id, from: store, maximumLength: 999) }
    }

    @Test("reads a thousand large blocks at once")
    func concurrency() throws {
        let server = try NginxServer()
        let blocks = (0..<50).map { HTTPTestBlocks.block($0, count: 100_000) }
        for block in blocks { try server.write(block.bytes, to: HTTPTestBlocks.path(block.id)) }
        let store = HTTPStore(base: server.url)
        defer { store.close() }
        let wanted = (0..<1000).map { blocks[$0 % 50] }
        let results = HTTPTestBlocks.read(wanted.map(\.id), from: store)
        let wrong = zip(results, wanted).filter { $0 != .success($1.bytes) }.count
        #expect(wrong == 0)
    }
}
