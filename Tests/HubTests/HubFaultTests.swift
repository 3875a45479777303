import Foundation
import Hub
import Support
import Synchronization
import TestSupport
import Testing

@Suite("Fetching from hubs that fail", .timeLimit(.minutes(5)))
struct HubFaultTests {
    private static let content = TestContent.bytes(1, count: 300_000)
    private static let md5 = TestContent.md5(content)
    private let place = HubPlace()

    /// A hub whose `.md5` is right and whose flist is what the script says.
    private func hub(_ script: @escaping ScriptedHub.Script) throws -> ScriptedHub {
        try ScriptedHub { request, number in
            request.path.hasSuffix(".md5") ? [.answer(200, body: Array(Self.md5.utf8))] : script(request, number)
        }
    }

    @Test(
        "a status is told in the words of the Zero-OS module, and asked again only where that may help",
        arguments: [
            (404, FlistError.Code.notFound, "404 Not Found", 1), (401, .permission, "401 Unauthorized", 1),
            (403, .permission, "403 Forbidden", 1), (400, .unavailable, "400 Bad Request", 1),
            (204, .unavailable, "204 No Content", 1), (500, .unavailable, "500 Internal Server Error", 5),
            (429, .unavailable, "429 Too Many Requests", 5), (503, .unavailable, "503 Service Unavailable", 5),
            (599, .unavailable, "599", 5),
        ])
    func statuses(status: Int, code: FlistError.Code, text: String, requests: Int) throws {
        let server = try ScriptedHub { _, _ in [.answer(status)] }
        expectError("fail to download flist: \(text)", code) { _ = try place.hub().fetch("\(server.url)/a") }
        #expect(server.requests("/a").count == requests)
        #expect(place.names == [])
    }

    @Test("a hub that is too busy for a while is asked again")
    func recovers() throws {
        let server = try hub { _, number in
            number < 4 ? [.answer([503, 500, 429, 502][number])] : [.answer(200, body: Self.content)]
        }
        #expect(try place.hub().fetch("\(server.url)/a").md5 == Self.md5)
        #expect(server.requests("/a").count == 5)
    }

    @Test("a hub is not asked again before it says, nor waited for beyond the deadline")
    func retryAfter() throws {
        let server = try hub { _, number in
            number == 0 ? [.answer(429, headers: ["Retry-After: 1"])] : [.answer(200, body: Self.content)]
        }
        let start = Deadline.now
        #expect(try place.hub().fetch("\(server.url)/a").md5 == Self.md5)
        #expect(Deadline.now.nanoseconds - start.nanoseconds >= 1_000_000_000)

        let other = HubPlace()
        let patient = try hub { _, _ in [.answer(503, headers: ["Retry-After: 3600"])] }
        expectError("fail to download flist: 503 Service Unavailable", .unavailable) {
            _ = try other.hub().fetch("\(patient.url)/a")
        }
        #expect(other.names == [])
        #expect(patient.requests("/a").count == 1)
    }

    @Test(
        "a broken transfer goes on where it ended",
        arguments: ["ETag: \"v1\"", "Last-Modified: Tue, 01 Oct 2024 10:00:00 GMT"])
    func resumed(validator: String) throws {
        let headers = [validator, "Date: Wed, 02 Oct 2024 10:00:00 GMT"]
        let server = try hub { request, number in
            number == 0
                ? ScriptedHub.cut(Self.content, after: 123_456, headers: headers)
                : ScriptedHub.part(Self.content, of: request, headers: headers)
        }
        let flist = try place.hub().fetch("\(server.url)/a")
        #expect(flist.md5 == Self.md5)
        #expect(try TestContent.read(flist.path) == Self.content)
        #expect(server.ranges("/a") == ["-", "bytes=123456-"])
        let condition = String(validator.drop { $0 != " " }.dropFirst())
        #expect(server.requests("/a").last?.headers["if-range"] == condition)
    }

    @Test("nginx sends only the rest, however often the network breaks")
    func nginx() throws {
        let server = try NginxServer()
        try server.write(Self.content, to: "a")
        let proxy = try FaultProxy(to: server.port, fault: .truncate(after: 50_000))
        let flist = try place.hub().fetch("http://127.0.0.1:\(proxy.port)/a")
        #expect(try TestContent.read(flist.path) == Self.content)
        let log = try server.log(atLeast: 8).filter { $0.request == "GET /a" }
        // 50,000 bytes for each connection, heads included.
        #expect(log.map(\.status) == [200] + Array(repeating: 206, count: 6))
        let starts = log.dropFirst().compactMap { Int($0.range.dropFirst("bytes=".count).dropLast()) }
        #expect(starts == starts.sorted() && Set(starts).count == 6)
        let last = try #require(log.last)
        #expect(last.bytes == Self.content.count - (starts.last ?? 0))
    }

    @Test("a hub without validators, or that knows no parts, sends all of it again", arguments: [true, false])
    func startsAnew(hasTag: Bool) throws {
        let headers = hasTag ? ["ETag: \"v1\""] : ["ETag: W/\"v1\""]
        let server = try hub { _, number in
            number < 2
                ? ScriptedHub.cut(Self.content, after: 1000, headers: headers)
                : [.answer(200, headers: headers, body: Self.content)]
        }
        let flist = try place.hub().fetch("\(server.url)/a")
        #expect(try TestContent.read(flist.path) == Self.content)
        #expect(server.ranges("/a") == (hasTag ? ["-", "bytes=1000-", "bytes=1000-"] : ["-", "-", "-"]))
    }

    @Test("parts of two versions are never put together", arguments: ["whole", "part", "elsewhere", "gone"])
    func changed(answer: String) throws {
        let old = TestContent.bytes(9, count: 250_000)
        let server = try hub { request, number in
            guard number > 0 else { return ScriptedHub.cut(old, after: 99_999, headers: ["ETag: \"old\""]) }
            guard number == 1, answer != "whole" else {
                return [.answer(200, headers: ["ETag: \"new\""], body: Self.content)]
            }
            switch answer {
            case "part": return ScriptedHub.part(Self.content, of: request, headers: ["ETag: \"new\""])
            case "elsewhere":
                return [.answer(206, headers: ["Content-Range: bytes 5-9/300000"], body: [1, 2, 3, 4, 5])]
            default: return [.answer(416, headers: ["Content-Range: bytes */5"])]
            }
        }
        let flist = try place.hub().fetch("\(server.url)/a")
        #expect(try TestContent.read(flist.path) == Self.content)
        let ranges = ["-", "bytes=99999-"] + (answer == "whole" ? [] : ["-"])
        #expect(server.ranges("/a") == ranges)
        #expect(place.names == [Self.md5])
    }

    @Test("a hub that always breaks off at the same byte is given up")
    func neverWhole() throws {
        let server = try hub { _, _ in ScriptedHub.cut(Self.content, after: 1000) }
        expectError("fail to download flist from '\(server.url)/a': the connection ended after 1000 B", .unavailable) {
            _ = try place.hub().fetch("\(server.url)/a")
        }
        // The first brought bytes, the five after it nothing new.
        #expect(server.requests("/a").count == 5)
        #expect(place.names == [])
    }

    @Test("a flist with another MD5 than the hub's is fetched once more, then refused")
    func wrongHash() throws {
        let wrong = TestContent.bytes(3, count: 1000)
        let server = try hub { _, _ in [.answer(200, body: wrong)] }
        expectError(
            "fail to download flist from '\(server.url)/a': it has the MD5 \(TestContent.md5(wrong)), "
                + "its hub says \(Self.md5) in the .md5 file beside it", .corrupt
        ) { _ = try place.hub().fetch("\(server.url)/a") }
        #expect(server.requests("/a").count == 2)
        #expect(place.names == [])
    }

    @Test("a hub that no longer tells the MD5 it told is still held to it")
    func hashGone() throws {
        let wrong = TestContent.bytes(3, count: 1000)
        let server = try ScriptedHub { request, number in
            guard request.path == "/a.md5" else { return [.answer(200, body: wrong)] }
            return number == 0 ? [.answer(200, body: Array(Self.md5.utf8))] : [.answer(404)]
        }
        let error = #expect(throws: FlistError.self) { try place.hub().fetch("\(server.url)/a") }
        #expect(error?.code == .corrupt)
        #expect(place.names == [])
    }

    @Test("a flist that is being replaced comes in its new form", arguments: ["hash first", "bytes first"])
    func replacedMeanwhile(order: String) throws {
        let new = TestContent.bytes(3, count: 1000)
        let server = try ScriptedHub { request, number in
            if request.path == "/a.md5" {
                // The hash that was there before the bytes were replaced.
                let isOld = order == "bytes first" && number == 0
                return [.answer(200, body: Array((isOld ? Self.md5 : TestContent.md5(new)).utf8))]
            }
            return [.answer(200, body: order == "hash first" && number == 0 ? Self.content : new)]
        }
        let flist = try place.hub().fetch("\(server.url)/a")
        #expect(flist.md5 == TestContent.md5(new))
        #expect(server.requests("/a").count == (order == "hash first" ? 2 : 1))
        #expect(place.names == [TestContent.md5(new)])
    }

    @Test("more than the limit is refused, with and without an announced length", arguments: [true, false])
    func tooLarge(isAnnounced: Bool) throws {
        let server = try hub { _, _ in
            isAnnounced
                ? [.answer(200, body: Self.content)]
                : [.raw(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)), .raw(Self.content), .close]
        }
        #expect(try place.hub { $0.limit = 300_000 }.fetch("\(server.url)/a").md5 == Self.md5)
        let tight = HubPlace()
        expectError(
            "fail to download flist from '\(server.url)/a': it has more than the 293.0 KiB that are allowed", .invalid
        ) { _ = try tight.hub { $0.limit = 299_999 }.fetch("\(server.url)/a") }
        #expect(tight.names == [])
    }

    @Test("an empty flist is refused")
    func empty() throws {
        let server = try ScriptedHub { request, _ in request.path == "/a" ? [.answer(200)] : [.answer(404)] }
        expectError("fail to download flist from '\(server.url)/a': it is empty", .invalid) {
            _ = try place.hub().fetch("\(server.url)/a")
        }
    }

    @Test("closing ends what waits for a hub, for bytes and between attempts", arguments: ["bytes", "pause"])
    func closed(kind: String) throws {
        let gate = Gate()
        let server = try hub { _, _ in
            if kind == "bytes" { gate.pass() }
            return [.answer(503, headers: ["Retry-After: 50"])]
        }
        let hub = try place.hub { $0.stallTimeout = .seconds(50) }
        let error = Mutex<FlistError?>(nil)
        let thread = try WorkerThread("fetch") {
            do throws(FlistError) { _ = try hub.fetch("\(server.url)/a") } catch let failure {
                error.withLock { $0 = failure }
            }
        }
        if kind == "bytes" { #expect(gate.waitForArrival()) } else { #expect(place.log.wait(for: "asked again in")) }
        hub.close()
        thread.join()
        gate.open()
        let message = "fail to download flist from '\(server.url)/a': the service is being stopped"
        #expect(error.withLock { $0?.description } == message)
        expectError(message, .unavailable) { _ = try hub.fetch("\(server.url)/a") }
        #expect(server.requests("/a").count == 1)
        #expect(place.names == [])
    }

    @Test("a hub that says nothing, or a byte now and then, is given up", arguments: ["silent", "trickle"])
    func stalls(kind: String) throws {
        let server = try hub { _, _ in
            kind == "silent" ? [.pause(.seconds(4)), .close] : [.answer(200, body: Self.content)]
        }
        let proxy = try FaultProxy(
            to: server.port, fault: kind == "trickle" ? .trickle(bytes: 1, every: .milliseconds(200)) : .none)
        let hub = try place.hub {
            $0.deadline = .seconds(2)
            $0.hashDeadline = .seconds(2)
        }
        let error = #expect(throws: FlistError.self) { try hub.fetch("http://127.0.0.1:\(proxy.port)/a") }
        #expect(error?.code == .timedOut)
        #expect(place.names == [])
    }
}
