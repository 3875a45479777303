import Glibc
import Support
import Synchronization
import TestSupport
import Testing

@testable import ZBus

@Suite("A client of the bus", .timeLimit(.minutes(5)))
struct ClientTests {
    private func failure(_ body: () throws -> Void) -> FlistError? {
        do {
            try body()
            return nil
        } catch ZBusError.noAnswer(let error) {
            return error
        } catch {
            return FlistError(.io, "another error: \(error)")
        }
    }

    @Test("names queue and broker when nobody takes its request, and withdraws it")
    func nobody() throws {
        let fixture = try ServerFixture()
        let client = try fixture.client
        let object = ObjectID(name: "flist", version: "0.0.1")
        for (timeout, text) in [(Duration.milliseconds(300), "300 ms"), (.seconds(1), "1 s")] {
            let error = failure { _ = try client.call("flist", object, "Exists", [.text("x")], timeout: timeout) }
            #expect(error?.code == .timedOut)
            #expect(
                error?.message
                    == "no answer within \(text) on flist.flist@0.0.1 at unix://\(fixture.redis.socketPath): "
                    + "is the module running?")
            #expect(try fixture.integer("EXISTS", "flist.flist@0.0.1") == 0)
        }
    }

    @Test("says so when the module took the request and does not answer")
    func busy() throws {
        let fixture = try ServerFixture()
        let client = try fixture.client
        let error = failure {
            _ = try client.call("mod", ServerFixture.object, "Wait", [.text("x")], timeout: .milliseconds(500))
        }
        #expect(error?.code == .timedOut)
        #expect(
            error?.message
                == "no answer within 500 ms on mod.test@1.0 at unix://\(fixture.redis.socketPath): "
                + "the module took the request, and is still at it or has died")
        // The connections that are kept have not been confused by it.
        #expect(try client.call("mod", ServerFixture.object, "Echo", [.text("x")], timeout: .seconds(20)) == .text("x"))
    }

    @Test("says when there is no broker")
    func noBroker() throws {
        let client = ZBusClient(try BrokerAddress(parsing: "unix:///nowhere/redis.sock"))
        let error = failure { _ = try client.status(of: "mod", timeout: .seconds(1)) }
        #expect(error?.code == .unavailable)
        #expect(
            error?.message == "the call could not be sent to mod.zbus@1.0 at unix:///nowhere/redis.sock: "
                + "unreachable: No such file or directory")
    }

    @Test("sends what the genuine client sends")
    func request() throws {
        let redis = try RedisServer()
        let fixture = try ServerFixture(redis: redis)
        let client = try fixture.client
        // Read from the queue while the call waits.
        let seen = Mutex<[UInt8]?>(nil)
        let reader = try WorkerThread("reader") {
            let bytes = TestClient(redis).take("flist.flist@0.0.1")
            seen.withLock { $0 = bytes }
        }
        let object = ObjectID(name: "flist", version: "0.0.1")
        _ = failure {
            _ = try client.call(
                "flist", object, "Mount",
                [.text("foo"), .text("http://127.0.0.1/x.flist"), MountOptions(readOnly: true).value],
                timeout: .milliseconds(500))
        }
        reader.join()
        let bytes = try #require(seen.withLock { $0 })
        let request = try ZBusRequest(decoding: bytes)
        #expect(request.id == request.replyTo)
        let id = String(decoding: request.id, as: UTF8.self)
        #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        let genuine = try WireMessages.named("request-mount-read-only")
        let theirs = try ZBusRequest(decoding: genuine)
        #expect(
            ZBusRequest(
                id: theirs.id, inputs: request.inputs, object: request.object, replyTo: theirs.replyTo,
                method: request.method
            ).encoded == genuine)
    }

    @Test("takes an answer with a wrong id, as the genuine client does, and refuses what is none")
    func strangeAnswers() throws {
        let fixture = try ServerFixture()
        let client = try fixture.client
        let redis = fixture.redis
        for (answer, text) in [
            (ZBusResponse(id: [0x78], outcome: .value(.int(5))).encoded, nil),
            ([0xc1, 0x02], "what came from other.test@1.0 at \(try fixture.broker) is no answer: c102"),
        ] as [([UInt8], String?)] {
            let impostor = try WorkerThread("impostor") {
                let peer = TestClient(redis)
                guard let bytes = peer.take("other.test@1.0"), let request = try? ZBusRequest(decoding: bytes) else {
                    return
                }
                peer.push(answer, to: request.replyTo)
            }
            let error = failure {
                let value = try client.call("other", ServerFixture.object, "M", [], timeout: .seconds(20))
                #expect(value == .int(5))
            }
            impostor.join()
            #expect(error?.message == text)
        }
    }

    @Test("says when the broker does not take its request")
    func refused() throws {
        let fixture = try ServerFixture()
        _ = try fixture.link.command("SET", "other.test@1.0", "x")
        let client = try fixture.client
        let error = failure { _ = try client.call("other", ServerFixture.object, "M", [], timeout: .seconds(20)) }
        #expect(error?.code == .unavailable)
        #expect(
            error?.message
                == "the broker unix://\(fixture.redis.socketPath) does not take the call into other.test@1.0: "
                + "refused: WRONGTYPE Operation against a key holding the wrong kind of value")
    }

    @Test("says when the value is of another type")
    func wrongType() throws {
        let fixture = try ServerFixture()
        let client = try fixture.client
        let error = failure {
            _ = try client.call(
                "mod", ServerFixture.object, "Echo", [.text("x")], as: ZBusUnit.self, timeout: .seconds(20))
        }
        #expect(
            error?.message
                == "mod.test@1.0 at unix://\(fixture.redis.socketPath) did not answer Echo with a gridtypes.Unit")
    }

    @Test("is used by many threads at once, and each gets its own answer")
    func threads() throws {
        let fixture = try ServerFixture(workers: 4)
        let client = try fixture.client
        let wrong = Mutex<[String]>([])
        let threads = try (0..<8).map { thread in
            try WorkerThread("caller") {
                for index in 0..<50 {
                    let text = "\(thread)-\(index)"
                    do {
                        let value = try client.call(
                            "mod", ServerFixture.object, "Echo", [.text(text)], timeout: .seconds(30))
                        if value != .text(text) { wrong.withLock { $0.append("\(text): \(value)") } }
                    } catch {
                        wrong.withLock { $0.append("\(text): \(error)") }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.withLock { $0 } == [])
    }

    @Test("gets its answer although redis was away while it waited")
    func outage() throws {
        let fixture = try ServerFixture()
        let client = try fixture.client
        let result = Mutex<String>("")
        let caller = try WorkerThread("caller") {
            let text: String
            do {
                let value = try client.call("mod", ServerFixture.object, "Wait", [.text("x")], timeout: .seconds(40))
                text = "\(value == .text("x"))"
            } catch {
                text = "\(error)"
            }
            result.withLock { $0 = text }
        }
        #expect(fixture.gate.waitUntil(1))
        // The two readers of the server, and the call once it knows that its request was taken.
        #expect(try eventually { try fixture.waiting() == 3 })
        fixture.redis.stop()
        #expect(eventually { !fixture.server.isConnected })
        try fixture.redis.start()
        fixture.gate.open()
        caller.join()
        #expect(result.withLock { $0 } == "true")
    }

    @Test("connects again when an idle connection was closed")
    func idle() throws {
        let fixture = try ServerFixture()
        let client = try fixture.client
        for text in ["a", "b"] {
            #expect(
                try client.call("mod", ServerFixture.object, "Echo", [.text(text)], timeout: .seconds(20))
                    == .text(text))
            fixture.redis.stop()
            try fixture.redis.start()
        }
    }
}
