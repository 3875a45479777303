import Foundation
import Hub
import Support
import TestSupport
import Testing

@Suite("Hashes that hubs tell", .timeLimit(.minutes(5)))
struct HubHashTests {
    private static let md5 = "0123456789abcdef0123456789ABCDEF"
    private let place = HubPlace()

    private func hub(answering steps: [RawHTTPServer.Step]) throws -> ScriptedHub {
        try ScriptedHub { request, _ in request.path.contains(".md5") ? steps : [.answer(200, body: [1, 2, 3])] }
    }

    @Test("the answer is trimmed", arguments: [md5, "\(md5)\n", " \t\r\n\(md5)\r\n\r\n"])
    func trimmed(text: String) throws {
        let server = try hub(answering: [.answer(200, body: Array(text.utf8))])
        #expect(try place.hub().hash("\(server.url)/a.flist?x=1") == Self.md5)
        #expect(server.requests("/a.flist.md5?x=1").count == 1)
    }

    @Test(
        "an answer that is no hash is refused, and of no matter for fetching",
        arguments: [
            ("", "invalid hash length"), ("abc", "invalid hash length"),
            ("\(md5)  a.flist\n", "invalid hash length"), (String(repeating: "a", count: 5000), "invalid hash length"),
            ("../../../../../../etc/passwd\u{0}\u{1}\u{2}\u{3}", "invalid hash: it must be 32 hexadecimal digits"),
            ("0123456789abcdef0123456789abcdeg", "invalid hash: it must be 32 hexadecimal digits"),
        ])
    func invalid(text: String, message: String) throws {
        let server = try hub(answering: [.answer(200, body: Array(text.utf8))])
        let hub = try place.hub()
        expectError(message, .invalid) { _ = try hub.hash("\(server.url)/a") }
        #expect(try hub.fetch("\(server.url)/a").md5 == "5289df737df57326fcdd22597afb1fac")
        #expect(place.log.all == ["warning \(server.url)/a: its .md5 file is of no use: \(message)"])
    }

    @Test("bytes that are no text are refused")
    func binary() throws {
        let server = try hub(answering: [.answer(200, body: (0..<32).map { UInt8($0) + 200 })])
        expectError("invalid hash: it must be 32 hexadecimal digits", .invalid) {
            _ = try place.hub().hash("\(server.url)/a")
        }
    }

    @Test(
        "a status is told in the words of the Zero-OS module",
        arguments: [
            (404, "hash not supported by flist host", 1), (403, "failed to get flist hash: 403 Forbidden", 1),
            (500, "failed to get flist hash: 500 Internal Server Error", 5),
            (503, "failed to get flist hash: 503 Service Unavailable", 5), (299, "failed to get flist hash: 299", 1),
        ])
    func statuses(status: Int, message: String, requests: Int) throws {
        let server = try hub(answering: [.answer(status)])
        expectError(message) { _ = try place.hub().hash("\(server.url)/a") }
        #expect(server.requests("/a.md5").count == requests)
    }

    @Test("a hub that is away is named, with what was asked of it and why")
    func away() throws {
        let port = try LoopbackPort.free()
        let url = "http://127.0.0.1:\(port)/a.flist"
        let error = #expect(throws: FlistError.self) { try place.hub().hash(url) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.hasPrefix("failed to get flist hash from '\(url).md5': Failed to connect") == true)
    }
}
