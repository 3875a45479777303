import BlockCodec
import BlockStore
import Foundation
import Support
import TestSupport
import Testing

@Suite("Stores of the Redis protocol", .timeLimit(.minutes(5)))
struct ZDBStoreTests {
    @Test("writes, finds and reads over TCP and a unix socket")
    func roundTrip() throws {
        let server = try RedisServer()
        let blocks = try TestBlock.many(300, length: 3000) + [TestBlock(1000, length: 512 << 10)]
        for url in ["zdb://127.0.0.1:\(server.port)", "redis://\(server.socketPath)?namespace=3"] {
            let store = try StoreURL(parsing: url).open()
            defer { store.close() }
            #expect(try store.contains(blocks.map(\.reference.id)) == blocks.map { _ in false })
            for block in blocks { try block.stored.withUnsafeBytes { try store.put(block.reference.id, $0) } }
            try blocks[0].stored.withUnsafeBytes { try store.put(blocks[0].reference.id, $0) }
            #expect(try store.contains(blocks.map(\.reference.id) + [.zero]) == blocks.map { _ in true } + [false])
            #expect(read(blocks.map(\.reference.id), from: store) == blocks.map { .success($0.reference.id) })
            #expect(read([.zero], from: store) == [.failure(.missing)])
        }
        #expect(try server.command(["DBSIZE"]).hasPrefix(":301"))
    }

    @Test("writes many blocks at once, and only those that are not there")
    func many() throws {
        let server = try RedisServer()
        let blocks = try TestBlock.many(300, length: 3000)
        let store = try StoreURL(parsing: "zdb://127.0.0.1:\(server.port)").open()
        defer { store.close() }
        let bytes = blocks.flatMap(\.stored)
        func put(_ range: Range<Int>) throws {
            try bytes.withUnsafeBytes { bytes in
                var start = 0
                var parcel: [StoredBlock] = []
                for block in blocks {
                    let end = start + block.stored.count
                    parcel.append(StoredBlock(block.reference.id, UnsafeRawBufferPointer(rebasing: bytes[start..<end])))
                    start = end
                }
                try store.put(Array(parcel[range]))
            }
        }
        try put(0..<0)
        try put(100..<200)
        try put(0..<300)
        #expect(read(blocks.map(\.reference.id), from: store) == blocks.map { .success($0.reference.id) })
        #expect(try server.info("commandstats", "cmdstat_set")?.hasPrefix("calls=300,") == true)
        #expect(try server.info("commandstats", "cmdstat_exists")?.hasPrefix("calls=400,") == true)
    }

    @Test("tells large, empty and other values apart, and goes on")
    func values() throws {
        let server = try RedisServer()
        let blocks = try TestBlock.many(3)
        try server.set(blocks[0].reference.id.bytes, [])
        try server.set(blocks[1].reference.id.bytes, [UInt8](repeating: 1, count: 100_000))
        try server.set(blocks[2].reference.id.bytes, blocks[2].stored)
        let store = try StoreURL(parsing: "zdb://127.0.0.1:\(server.port)?connections=1").open()
        defer { store.close() }
        #expect(
            read(blocks.map(\.reference.id), from: store, limit: 50_000) == [
                .failure(.corrupt(.wrongID)), .failure(.tooLarge), .success(blocks[2].reference.id),
            ])
    }

    @Test("logs in as each form says, and tells why it could not")
    func login() throws {
        let server = try RedisServer(options: ["--requirepass", "pw"])
        func outcome(_ url: String) throws -> Result<Digest, StoreError>? {
            let store = try StoreURL(parsing: url).open()
            defer { store.close() }
            return read([.zero], from: store).first
        }
        let host = "127.0.0.1:\(server.port)"
        #expect(try outcome("zdb://pw@\(host)") == .failure(.missing))
        #expect(try outcome("zdb://:pw@\(host)") == .failure(.missing))
        #expect(try outcome("redis://:pw@\(host)/5") == .failure(.missing))
        #expect(try outcome("redis://default:pw@\(host)") == .failure(.missing))
        for (url, part) in [
            ("zdb://no@\(host)", "the password"), ("zdb://\(host)", "NOAUTH"),
            ("redis://:pw@\(host)/name", "the namespace name"),
        ] {
            guard case .failure(.refused(let reason))? = try outcome(url) else {
                Issue.record("\(url) was taken")
                continue
            }
            #expect(reason.contains(part))
        }
    }

    @Test("says unreachable when nobody listens, and when the host has no address")
    func unreachable() throws {
        for host in ["127.0.0.1:\(try LoopbackPort.free())", "no-such-host.invalid:1"] {
            let store = try StoreURL(parsing: "zdb://\(host)").open()
            defer { store.close() }
            guard case .failure(.unreachable)? = read([.zero], from: store).first else {
                Issue.record("\(host) answered")
                continue
            }
            #expect(throws: StoreError.self) { try store.contains([.zero]) }
        }
    }

    @Test("keeps many requests under way on each connection")
    func pipelining() throws {
        let server = try RedisServer()
        let blocks = try TestBlock.many(64)
        for block in blocks { try server.set(block.reference.id.bytes, block.stored) }
        let proxy = try FaultProxy(to: server.port, fault: .delay(.milliseconds(50)))
        let store = try StoreURL(parsing: "zdb://127.0.0.1:\(proxy.port)?connections=1").open()
        defer { store.close() }
        #expect(read(blocks.map(\.reference.id), from: store) == blocks.map { .success($0.reference.id) })
        // *2 $3 GET $32 and the id
        let request = "*2\r\n$3\r\nGET\r\n$32\r\n".utf8.count + 32 + 2
        #expect(proxy.requestBytesBeforeFirstReply == 64 * request)
        #expect(proxy.connections == 1)
    }

    @Test("ends by the deadline when the server is silent; late replies are passed over")
    func late() throws {
        let server = try RedisServer()
        let blocks = try TestBlock.many(2)
        for block in blocks { try server.set(block.reference.id.bytes, block.stored) }
        let proxy = try FaultProxy(to: server.port)
        let store = try StoreURL(parsing: "zdb://127.0.0.1:\(proxy.port)?connections=1").open()
        defer { store.close() }
        #expect(read([blocks[0].reference.id], from: store) == [.success(blocks[0].reference.id)])
        try proxy.set(.stall(after: 0))
        #expect(
            read([blocks[0].reference.id], from: store, timeout: .milliseconds(100)) == [.failure(.timedOut)])
        try proxy.set(.none)
        #expect(read([blocks[1].reference.id], from: store) == [.success(blocks[1].reference.id)])
    }

    @Test(
        "fails what is under way when the connection breaks or talks nonsense",
        arguments: [
            FaultProxy.Fault.reset(after: 2000), .truncate(after: 2000), .garbage(Array("HTTP/1.1 400\r\n".utf8)),
            .garbage(Array("$99999999999\r\n".utf8)), .garbage(Array("*1\r\n$1\r\nx\r\n".utf8)),
            .garbage([UInt8](repeating: 0x24, count: 100_000)), .reset(after: 0),
        ])
    func broken(fault: FaultProxy.Fault) throws {
        let server = try RedisServer()
        let block = try TestBlock(1)
        try server.set(block.reference.id.bytes, block.stored)
        let proxy = try FaultProxy(to: server.port, fault: fault)
        let store = try StoreURL(parsing: "zdb://127.0.0.1:\(proxy.port)").open()
        defer { store.close() }
        switch read([block.reference.id], from: store).first {
        case .failure(.unreachable)?, .failure(.protocolViolation)?: break
        case let other: Issue.record("\(String(describing: other))")
        }
        try proxy.set(.none)
        #expect(read([block.reference.id], from: store) == [.success(block.reference.id)])
    }

    @Test("writes on after the server was killed and started again")
    func restart() throws {
        let server = try RedisServer()
        let store = try StoreURL(parsing: "zdb://127.0.0.1:\(server.port)").open()
        defer { store.close() }
        let blocks = try TestBlock.many(3, length: 300_000)
        for block in blocks {
            try block.stored.withUnsafeBytes { try store.put(block.reference.id, $0) }
            #expect(try store.contains([block.reference.id]) == [true])
            server.stop()
            #expect(throws: StoreError.self) {
                try block.stored.withUnsafeBytes { try store.put(block.reference.id, $0) }
            }
            try server.start()
        }
    }

    @Test("reads through a trickle")
    func trickle() throws {
        let server = try RedisServer()
        let block = try TestBlock(1, length: 400)
        try server.set(block.reference.id.bytes, block.stored)
        let proxy = try FaultProxy(to: server.port, fault: .trickle(bytes: 3, every: .milliseconds(1)))
        let store = try StoreURL(parsing: "zdb://127.0.0.1:\(proxy.port)").open()
        defer { store.close() }
        #expect(read([block.reference.id, .zero], from: store) == [.success(block.reference.id), .failure(.missing)])
    }
}
