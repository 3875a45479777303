import Hub
import Support
import TestSupport
import Testing

@Suite("Addresses of flists", .timeLimit(.minutes(5)))
struct HubAddressTests {
    private let place = HubPlace()

    @Test(
        "what is no address is refused before anybody is asked",
        arguments: [
            ("", "''", "only http://, https:// and file:/// addresses are known"),
            ("/a/b.flist", "'/a/b.flist'", "only http://, https:// and file:/// addresses are known"),
            ("ftp://host/a", "'ftp://host/a'", "only http://, https:// and file:/// addresses are known"),
            ("http:/a", "'http:/a'", "the scheme must be followed by ://"),
            ("http://", "'http://'", "there is no host in it"),
            ("http://me:pw@/a", "'http:///a'", "there is no host in it"),
            ("http://a b/c", "'http://a b/c'", "there is no host in it"),
            ("http://h/a\u{0}b", "'http://h/a\\0b'", "control characters are no part of an address"),
            ("http://h/a\r\nHost: b", "'http://h/a\\r\\nHost: b'", "control characters are no part of an address"),
            ("file://elsewhere/a", "'file://elsewhere/a'", "only files of this machine, as in file:///folder/name"),
            ("file:a", "'file:a'", "it names no file, as file:///folder/name does"),
            ("file:///a%00b", "'file:///a%00b'", "it names no file, as file:///folder/name does"),
            ("file:///a%zz", "'file:///a%zz'", "it names no file, as file:///folder/name does"),
        ])
    func refused(url: String, shown: String, why: String) throws {
        let hub = try place.hub()
        expectError("cannot fetch a flist from \(shown): \(why)", .usage) { _ = try hub.fetch(url) }
        expectError("cannot fetch a flist from \(shown): \(why)", .usage) { _ = try hub.hash(url) }
    }

    @Test("a very long one is refused, and not repeated")
    func long() throws {
        let url = "http://h/" + String(repeating: "a", count: 10_000)
        let shown = "http://h/" + String(repeating: "a", count: 503) + "..."
        expectError(
            "cannot fetch a flist from '\(shown)': it has 10009 bytes, at most 8192 are taken", .usage
        ) { _ = try place.hub().fetch(url) }
    }

    @Test("a name never leads out of the folder")
    func traversal() throws {
        let server = try ScriptedHub { request, _ in
            request.path.hasSuffix(".md5") ? [.answer(404)] : [.answer(200, body: [1, 2, 3])]
        }
        let flist = try place.hub().fetch("\(server.url)/..%2f../../etc/passwd")
        #expect(flist.path == place.path("5289df737df57326fcdd22597afb1fac"))
    }
}
