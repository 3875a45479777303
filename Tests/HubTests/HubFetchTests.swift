import Foundation
import Glibc
import Hub
import Support
import Synchronization
import TestSupport
import Testing

@Suite("Fetching flists", .timeLimit(.minutes(5)))
struct HubFetchTests {
    private let content = TestContent.bytes(1, count: 300_000)
    private var md5: String { TestContent.md5(content) }
    private let place = HubPlace()

    private func serve(_ bytes: [UInt8], md5: String?, locations: String = "") throws -> NginxServer {
        let server = try NginxServer(locations: locations)
        try server.write(bytes, to: "a.flist")
        if let md5 { try server.write(Array(md5.utf8), to: "a.flist.md5") }
        return server
    }

    @Test("a hub that tells the MD5 is asked for the bytes once", arguments: ["lower", "upper"])
    func spared(letters: String) throws {
        let server = try serve(content, md5: (letters == "upper" ? md5.uppercased() : md5) + "\n")
        let flist = try place.hub().fetch("\(server.url)/a.flist")
        #expect(flist == HubFlist(path: place.path(md5), md5: md5, isFresh: true))
        #expect(try TestContent.read(flist.path) == content)
        // By another object too, as after a restart.
        #expect(try place.hub().fetch("\(server.url)/a.flist") == flist)
        #expect(
            try server.log(atLeast: 3).map(\.request) == ["GET /a.flist.md5", "GET /a.flist", "GET /a.flist.md5"])
        #expect(place.names == [md5])
    }

    @Test("a hub that does not tell it is asked whether the file changed")
    func notModified() throws {
        let server = try serve(content, md5: nil)
        let hub = try place.hub()
        let flist = try hub.fetch("\(server.url)/a.flist")
        #expect(flist == HubFlist(path: place.path(md5), md5: md5, isFresh: true))
        #expect(try hub.fetch("\(server.url)/a.flist") == flist)
        #expect(try server.log(atLeast: 4).map(\.status) == [404, 200, 404, 304])

        let other = TestContent.bytes(2, count: 1000)
        try server.write(other, to: "a.flist")
        #expect(try hub.fetch("\(server.url)/a.flist").md5 == TestContent.md5(other))
        #expect(place.names == [md5, TestContent.md5(other)].sorted())
    }

    @Test("a replaced flist is fetched, and going back to the first costs nothing")
    func replaced() throws {
        let server = try serve(content, md5: md5)
        let hub = try place.hub()
        let first = try hub.fetch("\(server.url)/a.flist")
        let other = TestContent.bytes(2, count: 1000)
        try server.write(other, to: "a.flist")
        try server.write(Array(TestContent.md5(other).utf8), to: "a.flist.md5")
        #expect(try hub.fetch("\(server.url)/a.flist").md5 == TestContent.md5(other))
        try server.write(Array(md5.utf8), to: "a.flist.md5")
        #expect(try hub.fetch("\(server.url)/a.flist") == first)
        #expect(try server.log(atLeast: 5).count { $0.request == "GET /a.flist" } == 2)
    }

    @Test("what another address brought is not fetched again")
    func otherAddress() throws {
        let server = try serve(content, md5: md5)
        try server.write(content, to: "b.flist")
        try server.write(Array(md5.utf8), to: "b.flist.md5")
        let hub = try place.hub()
        let first = try hub.fetch("\(server.url)/a.flist")
        #expect(try hub.fetch("\(server.url)/b.flist") == first)
        #expect(try server.log(atLeast: 3).map(\.request).contains("GET /b.flist") == false)
    }

    @Test("redirects are followed, and blanks and other letters are taken")
    func names() throws {
        let server = try serve(
            content, md5: md5, locations: "location /old/ { rewrite ^/old/(.*)$ /$1 redirect; }")
        try server.write(content, to: "my ünlist.flist")
        let hub = try place.hub()
        #expect(try hub.fetch("\(server.url)/old/a.flist").md5 == md5)
        #expect(try hub.hash("\(server.url)/old/a.flist") == md5)
        #expect(try hub.fetch("\(server.url)/my ünlist.flist#here").md5 == md5)
    }

    @Test("a file whose bytes changed on the disk is fetched again", arguments: [false, true])
    func changed(isEmpty: Bool) throws {
        let server = try serve(content, md5: md5)
        let hub = try place.hub()
        let path = try hub.fetch("\(server.url)/a.flist").path
        var wrong = content
        wrong[1000] ^= 1
        try Data(isEmpty ? [] : wrong).write(to: URL(fileURLWithPath: path))
        #expect(try hub.fetch("\(server.url)/a.flist").path == path)
        #expect(try TestContent.read(path) == content)
        #expect(place.log.all == ["warning \(path): its bytes have changed; it is removed and fetched again"])
    }

    @Test("a long download is told to the log")
    func progress() throws {
        let server = try serve(content, md5: md5)
        let url = "\(server.url)/a.flist"
        #expect(try place.hub { $0.progressInterval = .zero }.fetch(url).md5 == md5)
        #expect(place.log.all.last == "info fetching \(url): 293.0 KiB of 293.0 KiB")
        #expect(place.log.all.allSatisfy { $0.hasPrefix("info fetching \(url): ") && $0.hasSuffix(" of 293.0 KiB") })
    }

    @Test("several processes may fetch into one folder")
    func sharedFolder() throws {
        let server = try serve(content, md5: md5)
        let results = Mutex<[HubFlist]>([])
        let threads = try (0..<4).map { _ in
            let hub = try place.hub()
            return try WorkerThread("fetch") {
                if let flist = try? hub.fetch("\(server.url)/a.flist") { results.withLock { $0.append(flist) } }
            }
        }
        for thread in threads { thread.join() }
        #expect(results.withLock { $0.count } == 4)
        #expect(results.withLock { Set($0) } == [HubFlist(path: place.path(md5), md5: md5, isFresh: true)])
        #expect(place.names == [md5])
        #expect(place.notes.count == 1)
    }

    @Test("user and password are sent, and shown and kept nowhere")
    func secrets() throws {
        let content = content
        let server = try ScriptedHub { request, _ in
            request.headers["authorization"] == "Basic dXNlcjpzM2NyM3Q="
                ? [.answer(200, body: content)] : [.answer(401)]
        }
        let hub = try place.hub()
        let host = "127.0.0.1:\(server.port)"
        #expect(try hub.fetch("http://user:s3cr3t@\(host)/x?token=t0ken").md5 == md5)
        #expect(server.requests("/x.md5?token=t0ken").count == 1)
        expectError("fail to download flist: 401 Unauthorized", .permission) {
            _ = try hub.fetch("http://user:s3cr3t2@\(host)/x")
        }
        server.close()
        #expect(try hub.fetch("http://user:s3cr3t@\(host)/x?token=t0ken").isFresh == false)
        let error = #expect(throws: FlistError.self) { try hub.fetch("http://user:s3cr3t@\(host)/y?token=t0ken") }
        let notes = try place.notes.map {
            String(decoding: try TestContent.read("\(place.folder)/by-url/\($0)"), as: UTF8.self)
        }
        let text = ([error?.description ?? ""] + place.log.all + notes + place.notes).joined()
        #expect(text.contains(host))
        #expect(!text.contains("s3cr3t") && !text.contains("user") && !text.contains("t0ken"))
    }

    @Test("another user does not get what the first one fetched while the hub is away")
    func otherUser() throws {
        let content = content
        let server = try ScriptedHub { _, _ in [.answer(200, body: content)] }
        let hub = try place.hub()
        _ = try hub.fetch("http://a:b@127.0.0.1:\(server.port)/x")
        server.close()
        #expect(throws: FlistError.self) { try hub.fetch("http://127.0.0.1:\(server.port)/x") }
    }

    @Test("threads that want one flist share a download")
    func together() throws {
        let content = content
        let gate = Gate()
        let server = try ScriptedHub { request, _ in
            if request.path == "/a" { gate.pass() }
            return request.path == "/a" ? [.answer(200, body: content)] : [.answer(404)]
        }
        let hub = try place.hub()
        let results = Mutex<[HubFlist]>([])
        let arrived = Monitor(0)
        let threads = try (0..<20).map { _ in
            try WorkerThread("fetch") {
                arrived.withLock { $0 += 1 }
                arrived.broadcast()
                if let flist = try? hub.fetch("\(server.url)/a") { results.withLock { $0.append(flist) } }
            }
        }
        arrived.wait { $0 == 20 ? () : nil }
        // All are about to ask, or wait; one has asked and is held at the gate.
        #expect(gate.waitForArrival())
        usleep(100_000)
        gate.open()
        for thread in threads { thread.join() }
        #expect(results.withLock { Set($0) } == [HubFlist(path: place.path(md5), md5: md5, isFresh: true)])
        #expect(results.withLock { $0.count } == 20)
        #expect(server.requests("/a").count == 1)
        #expect(place.names == [md5])
    }

    @Test("a slow flist does not hold up another one")
    func sideBySide() throws {
        let content = content
        let gate = Gate()
        let server = try ScriptedHub { request, _ in
            if request.path == "/slow" { gate.pass() }
            return request.path.hasSuffix(".md5") ? [.answer(404)] : [.answer(200, body: content)]
        }
        let hub = try place.hub { $0.stallTimeout = .seconds(20) }
        let isOver = Mutex(false)
        let thread = try WorkerThread("slow") {
            _ = try? hub.fetch("\(server.url)/slow")
            isOver.withLock { $0 = true }
        }
        #expect(gate.waitForArrival())
        #expect(try hub.fetch("\(server.url)/fast").md5 == md5)
        #expect(isOver.withLock { $0 } == false)
        gate.open()
        thread.join()
    }
}

/// Holds threads until it is opened.
final class Gate: Sendable {
    private let state = Monitor((arrived: 0, isOpen: false))

    func pass() {
        state.withLock { $0.arrived += 1 }
        state.broadcast()
        state.wait { $0.isOpen ? () : nil }
    }

    func waitForArrival() -> Bool { state.wait(until: .after(.seconds(20))) { $0.arrived > 0 ? true : nil } ?? false }

    func open() {
        state.withLock { $0.isOpen = true }
        state.broadcast()
    }
}
