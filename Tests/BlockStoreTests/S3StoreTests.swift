import BlockStore
import Support
import TestSupport
import Testing

@Suite(
    "S3 store over moto", .enabled(if: MotoServer.isInstalled, "needs Python with moto[server]"),
    .timeLimit(.minutes(5)))
struct S3StoreTests {
    private func store(_ server: MotoServer, bucket: String? = nil, secret: String? = nil, region: String = "")
        -> S3Store
    {
        S3Store(
            endpoint: server.endpoint, tls: false, bucket: bucket ?? server.bucket, region: region,
            accessKey: server.accessKey, secretKey: secret ?? server.secretKey)
    }

    @Test("writes, reads and finds blocks, each request signed")
    func roundTrip() throws {
        let server = try MotoServer()
        let store = store(server)
        defer { store.close() }
        let blocks = [HTTPTestBlocks.block(1, count: 600_000), HTTPTestBlocks.block(2), HTTPTestBlocks.block(3)]
        let absent = HTTPTestBlocks.block(4)
        for block in blocks { try HTTPTestBlocks.put(block, into: store) }
        try HTTPTestBlocks.put(blocks[0], into: store)
        #expect(HTTPTestBlocks.read(blocks.map(\.id), from: store) == blocks.map { .success($0.bytes) })
        #expect(throws: StoreError.missing) { try HTTPTestBlocks.read(absent.id, from: store) }
        #expect(try store.contains([absent.id] + blocks.map(\.id)) == [false, true, true, true])
        #expect(store.address == "s3://\(server.endpoint)/\(server.bucket)")
    }

    @Test("takes a path behind the bucket's name, and another region")
    func path() throws {
        let server = try MotoServer()
        let store = store(server, bucket: "/\(server.bucket)/deep/er/", region: "eu-west-1")
        defer { store.close() }
        let block = HTTPTestBlocks.block(1)
        try HTTPTestBlocks.put(block, into: store)
        #expect(try HTTPTestBlocks.read(block.id, from: store) == block.bytes)
    }

    @Test("is refused with a wrong secret")
    func wrongSecret() throws {
        let server = try MotoServer()
        let store = store(server, secret: "wrong")
        defer { store.close() }
        let block = HTTPTestBlocks.block(1)
        let error = StoreError.refused("403 Forbidden (SignatureDoesNotMatch: check the secret key)")
        #expect(throws: error) { try HTTPTestBlocks.put(block, into: store) }
        #expect(throws: error) { try HTTPTestBlocks.read(block.id, from: store) }
        #expect(throws: StoreError.refused("403 Forbidden")) { try store.contains([block.id]) }
    }

    @Test("tells a missing bucket from a missing block")
    func missingBucket() throws {
        let server = try MotoServer()
        let store = store(server, bucket: "nowhere")
        defer { store.close() }
        let block = HTTPTestBlocks.block(1)
        let error = StoreError.refused("404 Not Found (NoSuchBucket: check the bucket's name)")
        #expect(throws: error) { try HTTPTestBlocks.read(block.id, from: store) }
        #expect(throws: error) { try HTTPTestBlocks.put(block, into: store) }
    }
}
