import Logging
import Support
import Synchronization
import TestSupport
import Testing

@testable import ZBus

@Suite("A server on the bus", .timeLimit(.minutes(5)))
struct ServerTests {
    @Test("answers calls, and tells its observer of each")
    func calls() throws {
        let fixture = try ServerFixture()
        let client = try fixture.client
        let value = try client.call("mod", ServerFixture.object, "Echo", [.text("hé")], timeout: .seconds(20))
        #expect(value == .text("hé"))
        let error = #expect(throws: ZBusError.self) {
            try client.call("mod", ServerFixture.object, "Fail", [.text("no such thing")], timeout: .seconds(20))
        }
        guard case .callError("no such thing")? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let wrong = #expect(throws: ZBusError.self) {
            try client.call("mod", ServerFixture.object, "Nope", [], timeout: .seconds(20))
        }
        guard case .protocolError("not a function")? = wrong else {
            Issue.record("\(String(describing: wrong))")
            return
        }
        #expect(
            fixture.calls.wait(for: 6) == [
                "start test@1.0.Echo", "end test@1.0.Echo ok", "start test@1.0.Fail",
                "end test@1.0.Fail callError(\"no such thing\")", "start test@1.0.Nope",
                "end test@1.0.Nope protocolError(\"not a function\")",
            ])
    }

    @Test("answers the genuine client's own bytes with the genuine server's")
    func genuine() throws {
        let redis = try RedisServer()
        var object = ZBusObject(name: "flist", version: "0.0.1")
        object.add("Unmount", String.self) { name throws(FlistError) in
            throw FlistError(.io, "something failed")
        }
        object.add("Exists", String.self) { name throws(FlistError) -> Bool in true }
        let server = ZBusServer(
            module: "flist", broker: try BrokerAddress(parsing: "tcp://127.0.0.1:\(redis.port)"), workers: 1,
            objects: [object], logger: Logger(label: "bus") { _ in LogLines(store: .init()) })
        try server.start()
        defer { server.stop(grace: .seconds(5)) }
        let fixture = try ServerFixture(redis: redis)
        for (name, id, hex) in [
            (
                "request-unmount", "48144ebf-63f9-4014-932a-61f6168cb1da",
                "a64f757470757482a444617461c0a54572726f7281a74d657373616765b0736f6d657468696e67206661696c6564"
                    + "a54572726f72c0"
            ),
            (
                "request-exists", "ee26cf26-da65-4d9e-b268-54f3115d7e64",
                "a64f757470757482a444617461c401c3a54572726f72c0a54572726f72c0"
            ),
        ] {
            try fixture.push(WireMessages.named(name), to: "flist.flist@0.0.1")
            let reply = try fixture.link.command("BLPOP", id, "20")
            let expected = "83a24944d924" + Hex.encode(id.utf8) + hex
            #expect(reply == .array([.bytes([UInt8](id.utf8)), .bytes(Hex.decode(expected) ?? [])]))
        }
    }

    @Test("lets an answer wait for 300 s, also in the list without a name")
    func lifetime() throws {
        let fixture = try ServerFixture()
        for key in ["reply", ""] {
            try fixture.push(ServerFixture.request("Echo", [.text("x")], replyTo: key))
            #expect(try eventually { try fixture.integer("LLEN", key) == 1 })
            let left = try #require(try fixture.integer("TTL", key))
            #expect((1...300).contains(left))
            #expect(left > 270)
        }
    }

    @Test("runs as many calls at once as it has workers, and takes no more from redis")
    func workers() throws {
        let fixture = try ServerFixture(workers: 3)
        for index in 0..<5 {
            try fixture.push(ServerFixture.request("Wait", [.text("\(index)")], replyTo: "r\(index)"))
        }
        #expect(fixture.gate.waitUntil(3))
        // A reader that took more would have done so by the time another client was served.
        _ = try fixture.client.status(of: "mod", timeout: .seconds(20))
        #expect(try fixture.integer("LLEN", ServerFixture.queue) == 2)
        #expect(fixture.calls.all == Array(repeating: "start test@1.0.Wait", count: 3))
        fixture.gate.open()
        for index in 0..<5 {
            #expect(try fixture.answer("r\(index)")?.outcome == .value(.text("\(index)")))
        }
        #expect(try fixture.integer("LLEN", ServerFixture.queue) == 0)
    }

    @Test("tells its status while all workers are busy, and after")
    func status() throws {
        let fixture = try ServerFixture(workers: 2)
        let client = try fixture.client
        let before = try client.status(of: "mod", timeout: .seconds(20))
        #expect(before.objects == [ServerFixture.object])
        #expect(before.workers.map(\.isBusy) == [false, false])
        #expect(before.workers.map(\.action) == ["", ""])
        try fixture.push(ServerFixture.request("Wait", [.text("a")], replyTo: "a"))
        try fixture.push(ServerFixture.request("Wait", [.text("b")], replyTo: "b"))
        #expect(fixture.gate.waitUntil(2))
        let during = try client.status(of: "mod", timeout: .seconds(20))
        #expect(during.workers.map(\.isBusy) == [true, true])
        #expect(during.workers.map(\.action) == ["[test@1.0].Wait()", "[test@1.0].Wait()"])
        for (old, new) in zip(before.workers, during.workers) {
            #expect((new.startSeconds, new.startNanoseconds) >= (old.startSeconds, old.startNanoseconds))
        }
        fixture.gate.open()
        _ = try fixture.answer("a")
        _ = try fixture.answer("b")
        #expect(
            try eventually { try client.status(of: "mod", timeout: .seconds(20)).workers.allSatisfy { !$0.isBusy } })
    }

    @Test("lets the program answer status requests that name a method, and only those")
    func report() throws {
        let fixture = try ServerFixture(report: { $0 == "Report" ? .text("fine") : nil })
        let client = try fixture.client
        #expect(try client.call("mod", .status, "Report", [], timeout: .seconds(20)) == .text("fine"))
        let usual = try client.call("mod", .status, "Other", [.int(1)], timeout: .seconds(20))
        #expect(ZBusStatus(usual)?.objects == [ServerFixture.object])
    }

    @Test("drops what is no request, logs it, and goes on")
    func hostile() throws {
        let fixture = try ServerFixture()
        var generator = SeededGenerator(seed: 11)
        let good = ServerFixture.request("Echo", [.text("x")], replyTo: "never")
        var messages: [[UInt8]] = [[], [0xc1], Array(good.dropLast()), [0xdd, 0xff, 0xff, 0xff, 0xff], [0x01]]
        messages.append([UInt8](repeating: 0x91, count: 1000))
        messages.append([UInt8](repeating: 0, count: 2 << 20))
        for _ in 0..<200 {
            messages.append(
                [0xc1] + (0..<100).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        }
        for message in messages { try fixture.push(message) }
        #expect(
            try fixture.client.call("mod", ServerFixture.object, "Echo", [.text("on")], timeout: .seconds(20))
                == .text("on"))
        let dropped = fixture.calls.wait(for: messages.count + 2).filter { $0.hasPrefix("dropped") }
        #expect(dropped.count == messages.count)
        #expect(Set(dropped) == Set(messages.map { "dropped \($0.count)" }))
        #expect(
            fixture.log.all.contains {
                $0 == "warning: dropped a message of 0 bytes, : it is no MessagePack: it ends in the middle of a value"
                    || $0
                        == "warning: dropped a message of 1 bytes, c1: it is no MessagePack: the byte 193 starts no value"
            })
        #expect(try fixture.integer("EXISTS", "never") == 0)
        // Statuses go on, too.
        try fixture.push([0xc1], to: "mod.zbus@1.0")
        #expect(try fixture.client.status(of: "mod", timeout: .seconds(20)).workers.count == 2)
    }

    @Test("goes on after a message of more than a connection takes")
    func huge() throws {
        let fixture = try ServerFixture()
        try fixture.push([UInt8](repeating: 0x61, count: 65 << 20))
        #expect(
            eventually {
                fixture.log.all.first?.hasSuffix("protocol error: an answer of more than 64.0 MiB") ?? false
            })
        #expect(
            try fixture.client.call("mod", ServerFixture.object, "Echo", [.text("x")], timeout: .seconds(20))
                == .text("x"))
        #expect(try fixture.integer("LLEN", ServerFixture.queue) == 0)
    }

    @Test("survives requests with bytes changed at random")
    func mutated() throws {
        let fixture = try ServerFixture()
        var generator = SeededGenerator(seed: 5)
        let good = ServerFixture.request(
            "Mount", [.text("a"), .text("b"), MountOptions(readOnly: true).value], replyTo: "reply")
        for _ in 0..<1000 {
            var message = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<message.count, using: &generator)
                message[place] = UInt8.random(in: .min ... .max, using: &generator)
            }
            try fixture.push(message)
        }
        let client = try fixture.client
        #expect(
            try client.call("mod", ServerFixture.object, "Echo", [.text("x")], timeout: .seconds(20)) == .text("x"))
        #expect(try fixture.integer("LLEN", ServerFixture.queue) == 0)
        #expect(fixture.calls.all.contains { $0.hasPrefix("dropped") })
    }

    @Test("answers with megabytes, and with an error in place of more than the bus carries")
    func large() throws {
        let fixture = try ServerFixture()
        let client = try fixture.client
        let value = try client.call(
            "mod", ServerFixture.object, "Large", [.uint(3 << 20)], as: String.self, timeout: .seconds(20))
        #expect(value.utf8.count == 3 << 20)
        let error = #expect(throws: ZBusError.self) {
            try client.call("mod", ServerFixture.object, "Large", [.uint(65 << 20)], timeout: .seconds(20))
        }
        guard case .callError("the answer has 65.0 MiB, more than the bus carries")? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("makes every connection inside the scope that the program gives")
    func scope() throws {
        let entered = Mutex(0)
        let fixture = try ServerFixture(scope: { connect in
            entered.withLock { $0 += 1 }
            connect()
        })
        // One for each queue.
        #expect(entered.withLock { $0 } == 2)
        _ = try fixture.client.call("mod", ServerFixture.object, "Echo", [.text("x")], timeout: .seconds(20))
        // And one for the answer.
        #expect(entered.withLock { $0 } == 3)
    }

    @Test("logs in with the password of the address, and says when it is wrong")
    func password() throws {
        let redis = try RedisServer(options: ["--requirepass", "geheim"])
        let fixture = try ServerFixture(redis: redis, broker: "tcp://geheim@127.0.0.1:\(redis.port)")
        let client = ZBusClient(try BrokerAddress(parsing: "tcp://geheim@127.0.0.1:\(redis.port)"))
        #expect(
            try client.call("mod", ServerFixture.object, "Echo", [.text("x")], timeout: .seconds(20)) == .text("x"))
        for (user, reason) in [
            ("falsch@", "the password is not taken: WRONGPASS invalid username-password pair or user is disabled."),
            ("", "NOAUTH Authentication required."),
        ] {
            let broker = "tcp://\(user)127.0.0.1:\(redis.port)"
            let refused = try ServerFixture(redis: redis, broker: broker, isReady: false)
            #expect(eventually { !refused.log.all.isEmpty })
            #expect(!refused.server.waitUntilReady(.after(.milliseconds(100))))
            let shown = try BrokerAddress(parsing: broker)
            #expect(
                refused.log.all == [
                    "warning: no connection to the broker \(shown), trying again until there is one: refused: \(reason)"
                ])
        }
        #expect(fixture.server.isConnected)
    }

    @Test("serves a client that shares nothing with it", .enabled(if: PythonBusClient.isInstalled, "needs Python"))
    func python() throws {
        let fixture = try ServerFixture()
        func call(_ method: String, _ arguments: String, version: String = "1.0") throws -> PythonBusClient.Answer? {
            try PythonBusClient.call(fixture.redis.socketPath, "mod", "test", version, method, arguments)
        }
        #expect(try call("Echo", #"["hé"]"#) == .init(data: #""hé""#))
        #expect(
            try call("Mount", #"["a", "b", {"ReadOnly": true, "Limit": 5, "Storage": "", "PersistedVolume": "/v"}]"#)
                == .init(data: #""a b true 5  /v""#))
        #expect(try call("Unmount", #"["a"]"#) == .init(data: "null"))
        #expect(try call("Fail", #"["why"]"#) == .init(data: #""""#, error: "why"))
        #expect(
            try call("Fail", #"[]"#)
                == .init(data: "null", protocolError: "invalid number of arguments expecting 1 got 0"))
        let status = try PythonBusClient.call("\(fixture.redis.port)", "mod", "zbus", "1.0", "", "[]")
        #expect(try #require(status).data.contains(#""Objects":[{"Name":"test","Version":"1.0"}]"#))
        #expect(
            try PythonBusClient.call(fixture.redis.socketPath, "mod", "other", "1.0", "M", "[]", timeout: 1) == nil)
    }

    @Test("names of strangers, of any length, are told in a few letters")
    func longNames() throws {
        let fixture = try ServerFixture(workers: 1)
        let client = try fixture.client
        let name = String(repeating: "x", count: 100_000)
        let error = #expect(throws: ZBusError.self) {
            try client.call("mod", ServerFixture.object, name, [], timeout: .seconds(20))
        }
        #expect(error?.description == "not a function")
        let shown = String(repeating: "x", count: 32) + "..."
        #expect(
            fixture.calls.wait(for: 2) == [
                "start test@1.0.\(shown)", "end test@1.0.\(shown) protocolError(\"not a function\")",
            ])
    }
}
