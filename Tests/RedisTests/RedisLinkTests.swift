import Foundation
import Redis
import Support
import TestSupport
import Testing

@Suite("A connection to a Redis server", .timeLimit(.minutes(5)))
struct RedisLinkTests {
    private func link(_ port: UInt16, timeout: Duration = .seconds(5), limit: Int = 1 << 20) throws -> RedisLink {
        try RedisLink(
            .host("127.0.0.1", port: port), connectTimeout: .seconds(5), commandTimeout: timeout, replyLimit: limit)
    }

    @Test("takes answers of every kind, over a port and over a unix socket")
    func kinds() throws {
        let server = try RedisServer()
        for endpoint in [RedisEndpoint.host("127.0.0.1", port: server.port), .socket(path: server.socketPath)] {
            let link = try RedisLink(endpoint, connectTimeout: .seconds(5), commandTimeout: .seconds(5))
            #expect(try link.command("PING") == .status("PONG"))
            #expect(try link.command("GET", "nothing") == .null)
            #expect(try link.command("RPUSH", "list", "a", "") == .integer(2))
            #expect(
                try link.command("BLPOP", "none", "list", "1") == .array([.bytes([UInt8]("list".utf8)), .bytes([97])]))
            #expect(try link.command("LRANGE", "list", "0", "-1") == .array([.bytes([])]))
            #expect(try link.command("LRANGE", "none", "0", "-1") == .array([]))
            try link.command("DEL", "list")
        }
    }

    @Test("sends many commands at once, and throws the first refusal after all answers were taken")
    func pipeline() throws {
        let server = try RedisServer()
        let link = try link(server.port)
        let words = [["SET", "k", "v"], ["LLEN", "k"], ["GET", "k"]].map { $0.map { [UInt8]($0.utf8) } }
        #expect(
            throws: RedisError.refused("WRONGTYPE Operation against a key holding the wrong kind of value")
        ) { try link.pipeline(words) }
        #expect(!link.isBroken)
        #expect(try link.command("GET", "k") == .bytes([118]))
    }

    @Test("gives up on a command after its time, and is broken then")
    func timeout() throws {
        let server = try RedisServer()
        let link = try link(server.port, timeout: .milliseconds(100))
        #expect(throws: RedisError.timedOut) { try link.command("BLPOP", "none", "0") }
        #expect(link.isBroken)
        #expect(throws: RedisError.unreachable("the connection is closed")) { try link.command("PING") }
    }

    @Test("refuses an answer of more bytes than allowed; one below is taken")
    func replyLimit() throws {
        let server = try RedisServer()
        try server.set([1], [UInt8](repeating: 7, count: 100_000))
        let key: [[UInt8]] = [[UInt8]("GET".utf8), [1]]
        #expect(try link(server.port, limit: 200_000).command(key) == .bytes([UInt8](repeating: 7, count: 100_000)))
        let link = try link(server.port, limit: 50_000)
        #expect(throws: RedisError.protocolViolation("an answer of more than 48.8 KiB")) { try link.command(key) }
        #expect(link.isBroken)
    }

    @Test(
        "refuses answers that declare what they do not have, or are none",
        arguments: ["*2147483647\r\n", "*1025\r\n", "*99999999999\r\n", "HTTP/1.1 400\r\n", "*1\r\n*1025\r\n"])
    func hostile(answer: String) throws {
        let server = try RedisServer()
        let proxy = try FaultProxy(to: server.port, fault: .garbage([UInt8](answer.utf8)))
        let link = try link(proxy.port)
        switch Result(catching: { try link.command("GET", "k") }) {
        case .failure(RedisError.protocolViolation): break
        case let other: Issue.record("\(other)")
        }
        #expect(link.isBroken)
    }

    @Test("raises no signal when the server is gone")
    func pipe() throws {
        let server = try RedisServer()
        let link = try link(server.port)
        server.stop()
        #expect(throws: RedisError.self) { try link.command("PING") }
        #expect(throws: RedisError.unreachable("the connection is closed")) { try link.command("PING") }
    }

    @Test("says why it cannot connect")
    func unreachable() throws {
        // Nobody listens on port 1.
        #expect(throws: RedisError.unreachable("Connection refused")) { try link(1) }
        #expect(throws: RedisError.unreachable("No such file or directory")) {
            try RedisLink(.socket(path: "/nowhere"), connectTimeout: .seconds(1), commandTimeout: .seconds(1))
        }
        let long = "/" + String(repeating: "a", count: 107)
        #expect(throws: RedisError.unreachable("the path is too long for a unix socket: \(long)")) {
            try RedisLink(.socket(path: long), connectTimeout: .seconds(1), commandTimeout: .seconds(1))
        }
    }
}
