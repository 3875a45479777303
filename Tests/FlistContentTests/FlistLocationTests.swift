import FlistContent
import Testing

@Suite("Where flists are")
struct FlistLocationTests {
    @Test(
        "an address is shown without its secrets",
        arguments: [
            ("http://host/a.fl", "http://host/a.fl"), ("https://me:pw@host:8/a@b.fl?t=1#x", "https://host:8/a@b.fl"),
            ("/a/b@c.fl", "/a/b@c.fl"), ("http://me@host", "http://host"),
            ("HTTPS://me:pw@host/a.fl?t=1", "HTTPS://host/a.fl"), ("https://me:p/w@host/a.fl", "https://…"),
            ("https://me:p?w@host/a.fl", "https://…"), ("https://me:p#w@host/a.fl", "https://…"),
            ("http://[::1]:80/a.fl", "http://[::1]:80/a.fl"), ("http://[::1]/a.fl", "http://[::1]/a.fl"),
        ])
    func shown(argument: String, text: String) { #expect(FlistLocation.shown(argument) == text) }
}
