import BlockStore
import Support
import Synchronization
import TestSupport
import Testing

/// Behaves as an rfs server does for blocks.
private final class BlockServer: Sendable {
    private let blocks = Mutex<[String: [UInt8]]>([:])
    static let token = "a.b.c"

    func answer(_ request: RawHTTPServer.Request) -> [RawHTTPServer.Step] {
        let parts = request.path.split(separator: "?", maxSplits: 1)
        let words = (parts.first ?? "").split(separator: "/").map { String($0) }
        guard words.starts(with: ["api", "v1", "block"]) else { return [.answer(404)] }
        switch (request.method, words.count) {
        case ("GET", 4), ("HEAD", 4):
            guard let block = blocks.withLock({ $0[words[3]] }) else { return [.answer(404, body: [65])] }
            return [.answer(200, body: block)]
        case ("POST", 3):
            guard request.headers["authorization"] == "Bearer \(Self.token)" else { return [.answer(401)] }
            guard parts.count == 2, parts[1].contains("file_hash="), parts[1].contains("idx=") else {
                return [.answer(400)]
            }
            let name = BLAKE2b.hash(request.body, .bytes32).description
            return [.answer(blocks.withLock { $0.updateValue(request.body, forKey: name) } == nil ? 201 : 200)]
        default: return [.answer(405)]
        }
    }
}

@Suite("rfs server store", .timeLimit(.minutes(5)))
struct ServerStoreTests {
    @Test("writes, reads and finds blocks")
    func roundTrip() throws {
        let blocks = BlockServer()
        let server = try RawHTTPServer { blocks.answer($0) }
        defer { server.close() }
        let store = ServerStore(base: server.url, token: BlockServer.token)
        defer { store.close() }
        let (block, absent) = (HTTPTestBlocks.block(1, count: 600_000), HTTPTestBlocks.block(2))
        try HTTPTestBlocks.put(block, into: store)
        try HTTPTestBlocks.put(block, into: store)
        #expect(try HTTPTestBlocks.read(block.id, from: store) == block.bytes)
        #expect(try store.contains([absent.id, block.id]) == [false, true])
        #expect(throws: StoreError.missing) { try HTTPTestBlocks.read(absent.id, from: store) }
        #expect(store.address == "server://\(server.url)")
    }

    @Test("does not write without a token, with a wrong one, or under a short id")
    func refusals() throws {
        let blocks = BlockServer()
        let server = try RawHTTPServer { blocks.answer($0) }
        defer { server.close() }
        let without = ServerStore(base: server.url, token: nil)
        let wrong = ServerStore(base: server.url, token: "x")
        let right = ServerStore(base: server.url, token: BlockServer.token)
        defer { for store in [without, wrong, right] { store.close() } }
        let block = HTTPTestBlocks.block(1)
        let remedy = "writing needs a token: sign in to the server and add ?token=... to the address"
        #expect(throws: StoreError.refused(remedy)) { try HTTPTestBlocks.put(block, into: without) }
        #expect(throws: StoreError.refused("401 Unauthorized")) { try HTTPTestBlocks.put(block, into: wrong) }
        let short = (id: BLAKE2b.hash(block.bytes, .bytes16), bytes: block.bytes)
        let reason = "an rfs server names blocks by 32 bytes, this one has 16; choose another codec"
        #expect(throws: StoreError.refused(reason)) { try HTTPTestBlocks.put(short, into: right) }
        #expect(try right.contains([block.id]) == [false])
    }
}
