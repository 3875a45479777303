import Foundation
import Hub
import Support
import TestSupport
import Testing

@Suite("Hubs that are away", .timeLimit(.minutes(5)))
struct HubAwayTests {
    private static let content = TestContent.bytes(1, count: 100_000)
    private static let md5 = TestContent.md5(content)
    private let place = HubPlace()

    private func hub() throws -> NginxServer {
        let server = try NginxServer()
        try server.write(Self.content, to: "a")
        try server.write(Array(Self.md5.utf8), to: "a.md5")
        return server
    }

    @Test(
        "the flist of an earlier fetch is used, and the log says so",
        arguments: [
            FaultProxy.Fault.refuse, .reset(after: 0), .truncate(after: 10), .stall(after: 0),
            .garbage(Array("HTTP/1.1 503 Gone fishing\r\nContent-Length: 0\r\n\r\n".utf8)), .garbage([0, 1, 2, 3]),
        ])
    func away(fault: FaultProxy.Fault) throws {
        let server = try hub()
        let proxy = try FaultProxy(to: server.port)
        let url = "http://127.0.0.1:\(proxy.port)/a"
        let fresh = try place.hub().fetch(url)
        #expect(fresh.isFresh)
        try proxy.set(fault)
        // Another object, as after a restart.
        let stale = try place.hub().fetch(url)
        #expect(stale == HubFlist(path: fresh.path, md5: Self.md5, isFresh: false))
        let warning = try #require(place.log.all.last)
        #expect(warning.hasPrefix("warning the hub of \(url) cannot be asked: "))
        #expect(warning.hasSuffix("; the flist \(Self.md5) fetched earlier is used"))
    }

    @Test("without an earlier fetch of this very address it is an error")
    func nothingKept() throws {
        let server = try hub()
        let proxy = try FaultProxy(to: server.port)
        let url = "http://127.0.0.1:\(proxy.port)"
        let hub = try place.hub()
        _ = try hub.fetch("\(url)/a")
        try proxy.set(.refuse)
        let error = #expect(throws: FlistError.self) { try hub.fetch("\(url)/b") }
        #expect(error?.code == .unavailable)
        #expect(error?.message.hasPrefix("fail to download flist from '\(url)/b': Failed to connect to ") == true)
    }

    @Test("a hub that answers no is believed", arguments: [404, 403])
    func denied(status: Int) throws {
        let server = try ScriptedHub { request, number in
            number == 0 && request.path == "/a" ? [.answer(200, body: Self.content)] : [.answer(status)]
        }
        let hub = try place.hub()
        _ = try hub.fetch("\(server.url)/a")
        #expect(throws: FlistError.self) { try hub.fetch("\(server.url)/a") }
    }

    @Test("a hub that asks for patience is not given any while there is a flist", arguments: [429, 503])
    func impatient(status: Int) throws {
        let server = try ScriptedHub { request, number in
            guard request.path == "/a" else { return [.answer(404)] }
            return number == 0 ? [.answer(200, body: Self.content)] : [.answer(status, headers: ["Retry-After: 50"])]
        }
        let hub = try place.hub()
        #expect(try hub.fetch("\(server.url)/a").isFresh)
        #expect(try hub.fetch("\(server.url)/a").isFresh == false)
        #expect(server.requests("/a").count == 2)
    }

    @Test("a note that is broken, or leads nowhere, does no harm", arguments: ["", "flist address 1\nzz\n\n", "gone"])
    func brokenNote(text: String) throws {
        let server = try hub()
        let proxy = try FaultProxy(to: server.port)
        let url = "http://127.0.0.1:\(proxy.port)/a"
        let hub = try place.hub()
        let path = try hub.fetch(url).path
        let note = try #require(place.notes.first)
        if text == "gone" {
            try FileManager.default.removeItem(atPath: path)
        } else {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(place.folder)/by-url/\(note)"))
        }
        try proxy.set(.refuse)
        #expect(throws: FlistError.self) { try hub.fetch(url) }
        try proxy.set(.none)
        #expect(try hub.fetch(url) == HubFlist(path: path, md5: Self.md5, isFresh: true))
    }

    @Test("a server whose name nobody knows is away")
    func unknownName() throws {
        let error = #expect(throws: FlistError.self) {
            try place.hub { $0.attempts = 1 }.fetch("http://no-such-host.invalid/a")
        }
        #expect(
            error?.description
                == "fail to download flist from 'http://no-such-host.invalid/a': "
                + "Could not resolve host: no-such-host.invalid")
        #expect(error?.code == .unavailable)
    }
}
