import FlistContent
import Testing

@Suite("Where flists are")
struct FlistLocationTests {
    @Test(
        "an address is shown without its secrets",
        arguments: [
            ("http://host/a.fl", "http://host/a.fl"), ("https://me:pw@host:8/a@b.fl?t=1#x", "https://host:8/a@b.fl"),
            ("/a/b@c.fl", "/a/b@c.fl"), ("http://me@host", "http://host"),
        ])
    func shown(argument: String, text: String) { #expect(FlistLocation.shown(argument) == text) }
}
