import BlockStore
import Glibc
import Support
import TestSupport
import Testing

@Suite("HTTP store with a misbehaving server", .timeLimit(.minutes(5)))
struct HTTPFaultTests {
    private func store(_ server: RawHTTPServer) -> HTTPStore { HTTPStore(base: server.url) }

    @Test(
        "names the status that was answered",
        arguments: [
            (401, StoreError.refused("401 Unauthorized")), (403, .refused("403 Forbidden")), (404, .missing),
            (410, .missing), (429, .busy("429 Too Many Requests")), (500, .refused("500 Internal Server Error")),
            (503, .busy("503 Service Unavailable")), (599, .refused("599")),
            (204, .protocolViolation("unexpected status 204 No Content")),
        ])
    func statuses(status: Int, error: StoreError) throws {
        let server = try RawHTTPServer { _ in [.answer(status, body: status == 204 ? [] : Array("text".utf8))] }
        defer { server.close() }
        let store = store(server)
        defer { store.close() }
        #expect(throws: error) { try HTTPTestBlocks.read(HTTPTestBlocks.block(1).id, from: store) }
    }

    @Test("refuses a body that ends too early, is endless, or is not there")
    func bodies() throws {
        let server = try RawHTTPServer { request in
            if request.path.contains("/short/") {
                return [.raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789".utf8)), .close]
            }
            if request.path.contains("/endless/") {
                let piece = [UInt8](repeating: 1, count: 4096)
                return [.raw(Array("HTTP/1.1 200 OK\r\n\r\n".utf8))] + (0..<100).map { _ in .raw(piece) } + [.close]
            }
            if request.path.contains("/chunks/") {
                let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                return [.raw(Array("\(head)4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n".utf8))]
            }
            return request.path.contains("/garbage/") ? [.raw(Array("what?\r\n\r\n".utf8)), .close] : [.answer(200)]
        }
        defer { server.close() }
        func read(_ path: String) throws(StoreError) -> [UInt8] {
            let store = HTTPStore(base: "\(server.url)/\(path)")
            defer { store.close() }
            return try HTTPTestBlocks.read(HTTPTestBlocks.block(1).id, from: store, maximumLength: 2000)
        }
        #expect(throws: StoreError.unreachable("the connection ended within the body, after 10 bytes")) {
            try read("short")
        }
        #expect(throws: StoreError.tooLarge) { try read("endless") }
        #expect(throws: StoreError.protocolViolation("the body is empty")) { try read("empty") }
        #expect(try read("chunks") == Array("abcdefg".utf8))
        #expect(throws: StoreError.protocolViolation("Received HTTP/0.9 when not allowed")) { try read("garbage") }
    }

    @Test("gives up at the deadline, whether the server is silent or slow")
    func deadline() throws {
        let server = try RawHTTPServer { request in
            if request.path.contains("/silent/") { return [.pause(.seconds(5)), .close] }
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
            return [.raw(Array(head.utf8))] + (0..<50).flatMap { _ in [.pause(.milliseconds(100)), .raw([1])] }
        }
        defer { server.close() }
        for path in ["silent", "slow"] {
            let store = HTTPStore(base: "\(server.url)/\(path)")
            defer { store.close() }
            #expect(throws: StoreError.timedOut) {
                try HTTPTestBlocks.read(HTTPTestBlocks.block(1).id, from: store, within: .milliseconds(300))
            }
        }
    }

    @Test("goes on at once with other stores while one is silent")
    func isolation() throws {
        let silent = try RawHTTPServer { _ in [.pause(.seconds(8)), .close] }
        let good = try RawHTTPServer { _ in [.answer(200, body: [1, 2, 3])] }
        defer {
            silent.close()
            good.close()
        }
        let (stuck, store) = (self.store(silent), self.store(good))
        defer { store.close() }
        let ids = (0..<300).map { HTTPTestBlocks.block($0, count: 40).id }
        let ended = Monitor<[StoreError]>([])
        stuck.get(
            ids.map { id in
                StoreRequest(id: id, maximumLength: 100, deadline: .after(.seconds(30))) { result in
                    if case .failure(let error) = result { ended.withLock { $0.append(error) } }
                    ended.signal()
                }
            })
        let results = HTTPTestBlocks.read(ids, from: store, within: .seconds(5))
        #expect(results == ids.map { _ in .success([1, 2, 3]) })
        #expect(ended.withLock { $0.count } == 0)
        stuck.close()
        let errors = ended.wait { $0.count == 300 ? $0 : nil }
        #expect(Set(errors) == [.cancelled])
    }

    @Test("takes up waiting requests when those that hold all connections time out")
    func stuckConnections() throws {
        let stuck = (0..<64).map { HTTPTestBlocks.block($0, count: 40).id }
        let names = Set(stuck.map { $0.description })
        let server = try RawHTTPServer { request in
            let isStuck = names.contains { request.path.hasSuffix($0) }
            return isStuck ? [.pause(.seconds(8)), .close] : [.answer(200, body: [1])]
        }
        defer { server.close() }
        let store = store(server)
        defer { store.close() }
        let late = Monitor(0)
        store.get(
            stuck.map { id in
                StoreRequest(id: id, maximumLength: 100, deadline: .after(.milliseconds(500))) { result in
                    if case .failure(.timedOut) = result { late.withLock { $0 += 1 } }
                    late.signal()
                }
            })
        let ids = (64..<214).map { HTTPTestBlocks.block($0, count: 40).id }
        let results = HTTPTestBlocks.read(ids, from: store, within: .seconds(6))
        #expect(results.filter { $0 == .success([1]) }.count == 150)
        #expect(late.wait { $0 == 64 ? $0 : nil } == 64)
    }

    @Test("ends a request that is cancelled, and drops its connection")
    func cancel() throws {
        let gone = Monitor(false)
        let server = try RawHTTPServer { _ in
            let pieces = (0..<400).flatMap { _ in [RawHTTPServer.Step.pause(.milliseconds(20)), .raw([1])] }
            return [.raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".utf8))] + pieces
        }
        defer { server.close() }
        let store = store(server)
        defer { store.close() }
        let request = StoreRequest(
            id: HTTPTestBlocks.block(1).id, maximumLength: 1 << 20, deadline: .after(.seconds(30))
        ) { result in
            if case .failure(.cancelled) = result { gone.withLock { $0 = true } }
            gone.signal()
        }
        store.get([request])
        while server.requests.isEmpty { usleep(1000) }
        request.cancel()
        #expect(gone.wait { $0 ? true : nil })
        // The server notices when it writes to a connection that was reset.
        while server.openConnections > 0 { usleep(1000) }
    }

    @Test("says that nobody answers")
    func refusedConnection() throws {
        let port = try LoopbackPort.free()
        let store = HTTPStore(base: "http://127.0.0.1:\(port)")
        defer { store.close() }
        #expect {
            try HTTPTestBlocks.read(HTTPTestBlocks.block(1).id, from: store)
        } throws: { error in
            guard case StoreError.unreachable(let text) = error else { return false }
            return text.contains("127.0.0.1 port \(port)") && text.hasSuffix("Couldn't connect to server")
        }
        #expect(throws: StoreError.self) { try store.contains([HTTPTestBlocks.block(1).id]) }
    }

    @Test("keeps connections: two thousand blocks over at most 32")
    func keepAlive() throws {
        let server = try RawHTTPServer { _ in [.answer(200, body: [1, 2, 3])] }
        defer { server.close() }
        let store = store(server)
        defer { store.close() }
        for _ in 0..<20 {
            let results = HTTPTestBlocks.read((0..<100).map { HTTPTestBlocks.block($0, count: 40).id }, from: store)
            #expect(results == (0..<100).map { _ in .success([1, 2, 3]) })
        }
        #expect(server.connectionCount <= 32)
        #expect(server.requests.count == 2000)
    }

    @Test("keeps the connection over errors that have a text")
    func keepAliveOverErrors() throws {
        let server = try RawHTTPServer { _ in [.answer(503, body: [UInt8](repeating: 65, count: 20_000))] }
        defer { server.close() }
        let store = store(server)
        defer { store.close() }
        for _ in 0..<20 {
            #expect(throws: StoreError.busy("503 Service Unavailable")) {
                try HTTPTestBlocks.read(HTTPTestBlocks.block(1).id, from: store)
            }
        }
        #expect(server.connectionCount == 1)
    }

    @Test("asks for the layout that answered last, so that a hit costs one request")
    func layoutMemory() throws {
        let server = try RawHTTPServer { request in
            request.path.split(separator: "/").count == 1 ? [.answer(200, body: [9])] : [.answer(404)]
        }
        defer { server.close() }
        let store = store(server)
        defer { store.close() }
        for seed in 0..<10 { _ = try HTTPTestBlocks.read(HTTPTestBlocks.block(seed).id, from: store) }
        #expect(server.requests.count == 11)
    }

    @Test("sends user and password of the address, and does not show them")
    func credentials() throws {
        let server = try RawHTTPServer { request in
            request.headers["authorization"] == "Basic amFuZTpwQHNz" ? [.answer(200, body: [9])] : [.answer(401)]
        }
        defer { server.close() }
        let store = HTTPStore(base: "http://jane:p%40ss@127.0.0.1:\(server.port)/")
        defer { store.close() }
        #expect(try HTTPTestBlocks.read(HTTPTestBlocks.block(1).id, from: store) == [9])
        #expect(store.address == "http://127.0.0.1:\(server.port)")
    }
}
