import ProgramSupport
import Testing

@Suite("JSON")
struct JSONValueTests {
    @Test("keeps the order of keys, escapes text, and writes what is no number as null")
    func text() {
        let value = JSONValue.object([
            ("b", .string("a\"b\\c\n\u{1}é")), ("a", .array([.unsigned(.max), .integer(-1), .number(0.5)])),
            ("none", .null), ("nan", .number(.nan)), ("empty", .array([])), ("yes", .bool(true)),
        ])
        #expect(
            value.text == #"""
                {
                  "b": "a\"b\\c\n\u0001é",
                  "a": [
                    18446744073709551615,
                    -1,
                    0.5
                  ],
                  "none": null,
                  "nan": null,
                  "empty": [],
                  "yes": true
                }
                """#)
    }

    @Test("gives names that are not UTF-8 in hexadecimal, too")
    func names() {
        let members = JSONValue.name("path", Array("a".utf8) + [0xff])
        #expect(JSONValue.object(members).text == "{\n  \"path\": \"a\u{fffd}\",\n  \"path_bytes\": \"61ff\"\n}")
        #expect(JSONValue.name("path", Array("é".utf8)).count == 1)
    }
}
