import Testing

@testable import BlockStore

@Suite("What servers say of files")
struct HTTPHeadTests {
    @Test(
        "a part's place is read",
        arguments: [
            ("bytes 5-9/10", 5, 10), ("bytes 0-0/*", 0, nil), ("Bytes 7-7/18446744073709551615", 7, UInt64.max),
        ])
    func parts(text: String, start: UInt64, total: UInt64?) throws {
        let part = try #require(HTTPHead.parse(contentRange: text))
        #expect(part.start == start)
        #expect(part.total == total)
    }

    @Test(
        "a place that makes no sense is none",
        arguments: [
            "", "bytes", "bytes */10", "bytes 9-5/10", "bytes 5-10/10", "bytes 5-9", "bytes -5-9/10", "bytes 5-9/10/10",
            "bytes 5-9/18446744073709551616", "items 5-9/10",
        ])
    func noParts(text: String) { #expect(HTTPHead.parse(contentRange: text) == nil) }

    @Test("strong tags and dates are validators", arguments: ["\"\"", "\"a-1\"", "Tue, 01 Oct 2024 10:00:00 GMT"])
    func validators(text: String) { #expect(HTTPValidator(text)?.text == text) }

    @Test(
        "what could mean two versions, or more than one header, is none",
        arguments: [
            "", "W/\"a\"", "\"a", "\"", "\"a\"b\"", "\"a\r\nb\"", "\"ä\"", "yesterday",
            "\"\(String(repeating: "a", count: 600))\"",
        ])
    func noValidators(text: String) { #expect(HTTPValidator(text) == nil) }
}
