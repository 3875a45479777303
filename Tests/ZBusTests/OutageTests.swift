import Glibc
import Support
import TestSupport
import Testing

@testable import ZBus

@Suite("A bus with outages and stops", .timeLimit(.minutes(5)))
struct OutageTests {
    @Test("waits for a broker that comes after it")
    func late() throws {
        let redis = try RedisServer()
        redis.stop()
        let fixture = try ServerFixture(redis: redis, isReady: false)
        #expect(eventually { !fixture.log.all.isEmpty })
        #expect(!fixture.server.isConnected)
        #expect(!fixture.server.waitUntilReady(.after(.milliseconds(50))))
        try redis.start()
        #expect(fixture.server.waitUntilReady(.after(.seconds(20))))
        #expect(
            try fixture.client.call("mod", ServerFixture.object, "Echo", [.text("x")], timeout: .seconds(20))
                == .text("x"))
    }

    @Test("serves again when redis was killed and started, and logs each outage once", arguments: [1, 2])
    func restart(times: Int) throws {
        let fixture = try ServerFixture()
        for time in 1...times {
            fixture.redis.stop()
            #expect(eventually { !fixture.server.isConnected })
            try fixture.redis.start()
            #expect(fixture.server.waitUntilReady(.after(.seconds(20))))
            #expect(
                try fixture.client.call("mod", ServerFixture.object, "Echo", [.text("\(time)")], timeout: .seconds(20))
                    == .text("\(time)"))
        }
        let kinds = fixture.log.all.map { $0.prefix { $0 != ":" } }
        #expect(kinds == Array(repeating: ["warning", "notice"], count: times).flatMap { $0 })
    }

    @Test("sends the answer of a call that ran through an outage")
    func answerAfterOutage() throws {
        let fixture = try ServerFixture()
        // The connection for answers is made before.
        for name in ["a", "b"] {
            try fixture.push(ServerFixture.request("Echo", [.text(name)], replyTo: name))
            _ = try fixture.answer(name)
        }
        try fixture.push(ServerFixture.request("Wait", [.text("kept")], replyTo: "r"))
        #expect(fixture.gate.waitUntil(1))
        fixture.redis.stop()
        #expect(eventually { !fixture.server.isConnected })
        fixture.gate.open()
        _ = fixture.calls.wait(for: 6)
        try fixture.redis.start()
        #expect(try fixture.answer("r")?.outcome == .value(.text("kept")))
    }

    @Test("stops: answers what it took, and leaves the rest for the next start")
    func stop() throws {
        let redis = try RedisServer()
        do {
            let fixture = try ServerFixture(redis: redis, workers: 2)
            for index in 0..<4 {
                try fixture.push(ServerFixture.request("Wait", [.text("\(index)")], replyTo: "r\(index)"))
            }
            #expect(fixture.gate.waitUntil(2))
            let (gate, server) = (fixture.gate, fixture.server)
            let opener = try WorkerThread("opener") {
                // Opened only when the server has stopped to read.
                _ = eventually { !server.isConnected }
                gate.open()
            }
            #expect(server.stop(grace: .seconds(20)))
            opener.join()
            for index in 0..<2 {
                #expect(try fixture.answer("r\(index)")?.outcome == .value(.text("\(index)")))
            }
            #expect(try fixture.integer("LLEN", ServerFixture.queue) == 2)
            #expect(!server.isConnected)
        }
        let next = try ServerFixture(redis: redis, workers: 2)
        next.gate.open()
        for index in 2..<4 {
            #expect(try next.answer("r\(index)")?.outcome == .value(.text("\(index)")))
        }
    }

    @Test("stops an idle server at once, losing nothing that comes at the same moment")
    func stopIdle() throws {
        let redis = try RedisServer()
        for round in 0..<20 {
            let fixture = try ServerFixture(redis: redis, workers: 1)
            let pusher = try WorkerThread("pusher") {
                let client = TestClient(redis)
                for index in 0..<10 { client.push("Echo", "\(round)-\(index)") }
            }
            #expect(fixture.server.stop(grace: .seconds(20)))
            pusher.join()
        }
        // Every request has been answered, or is still in the queue: a last server takes those.
        let last = try ServerFixture(redis: redis)
        for round in 0..<20 {
            for index in 0..<10 {
                #expect(try last.answer("\(round)-\(index)")?.outcome == .value(.text("\(round)-\(index)")))
            }
        }
    }

    @Test("says when the grace was too short")
    func shortGrace() throws {
        let fixture = try ServerFixture(workers: 1)
        try fixture.push(ServerFixture.request("Wait", [.text("a")], replyTo: "a"))
        #expect(fixture.gate.waitUntil(1))
        #expect(!fixture.server.stop(grace: .milliseconds(50)))
        // It still ends by itself.
        fixture.gate.open()
        #expect(try fixture.answer("a")?.outcome == .value(.text("a")))
    }

    @Test("stops while the broker is away")
    func stopDuringOutage() throws {
        let fixture = try ServerFixture()
        fixture.redis.stop()
        #expect(eventually { !fixture.server.isConnected })
        #expect(fixture.server.stop(grace: .seconds(20)))
    }

    @Test("makes a new connection without a word when the old one was closed and the broker is there")
    func closedConnections() throws {
        let fixture = try ServerFixture()
        let client = try fixture.client
        for text in ["a", "b"] {
            #expect(
                try client.call("mod", ServerFixture.object, "Echo", [.text(text)], timeout: .seconds(20))
                    == .text(text))
            _ = try client.status(of: "mod", timeout: .seconds(20))
            _ = try fixture.link.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        }
        #expect(fixture.server.waitUntilReady(.after(.seconds(20))))
        #expect(fixture.log.all == [])
    }

    @Test("goes on when something else stood in place of a queue")
    func wrongType() throws {
        let fixture = try ServerFixture()
        _ = try fixture.link.command("SET", ServerFixture.queue, "x")
        _ = try fixture.link.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        #expect(
            eventually {
                fixture.log.all.contains {
                    $0.hasPrefix("error: the broker refuses to give out messages: WRONGTYPE")
                }
            })
        _ = try fixture.link.command("DEL", ServerFixture.queue)
        #expect(
            try fixture.client.call("mod", ServerFixture.object, "Echo", [.text("x")], timeout: .seconds(20))
                == .text("x"))
        #expect(fixture.log.all.filter { $0.hasPrefix("error") }.count == 1)
    }

    @Test("gives up an answer that redis will never take, and serves the next")
    func wrongReply() throws {
        let fixture = try ServerFixture(workers: 1)
        _ = try fixture.link.command("SET", "taken", "x")
        try fixture.push(ServerFixture.request("Echo", [.text("x")], replyTo: "taken"))
        try fixture.push(ServerFixture.request("Echo", [.text("y")], replyTo: "free"))
        #expect(try fixture.answer("free")?.outcome == .value(.text("y")))
        #expect(
            fixture.log.all == [
                "error: the broker refuses an answer: WRONGTYPE Operation against a key holding the wrong kind of value"
            ])
    }
}
