import Support
import TestSupport
import Testing

@testable import ZBus

@Suite("MessagePack")
struct MessagePackTests {
    /// What vmihailenco/msgpack 4 writes; the borders are those of the specification.
    static let forms: [(MessagePackValue, String)] = [
        (.nil, "c0"), (.bool(false), "c2"), (.bool(true), "c3"),
        (.int(0), "00"), (.int(127), "7f"), (.int(128), "cc80"), (.int(255), "ccff"), (.int(256), "cd0100"),
        (.int(65535), "cdffff"), (.int(65536), "ce00010000"), (.int(0xffff_ffff), "ceffffffff"),
        (.int(0x1_0000_0000), "cf0000000100000000"), (.int(.max), "cf7fffffffffffffff"),
        (.int(-1), "ff"), (.int(-32), "e0"), (.int(-33), "d0df"), (.int(-128), "d080"), (.int(-129), "d1ff7f"),
        (.int(-32768), "d18000"), (.int(-32769), "d2ffff7fff"), (.int(-2_147_483_648), "d280000000"),
        (.int(-2_147_483_649), "d3ffffffff7fffffff"), (.int(.min), "d38000000000000000"),
        (.uint(.max), "cfffffffffffffffff"), (.double(1.5), "cb3ff8000000000000"),
        (.string([]), "a0"), (.text("a"), "a161"), (.binary([]), "c400"), (.binary([1, 2]), "c4020102"),
        (.array([]), "90"), (.array([.nil, .int(1)]), "92c001"), (.map([]), "80"),
        (.structure(["b": .int(1), "a": .bool(true)]), "82a16201a161c3"),
        (.ext(5, []), "c70005"), (.ext(5, [1]), "d40501"), (.ext(5, [1, 2]), "d5050102"),
        (.ext(5, [1, 2, 3]), "c70305010203"),
        (.ext(-1, [1, 2, 3, 4]), "d6ff01020304"),
        (.timestamp(seconds: 1, nanoseconds: 0), "d6ff00000001"),
        (.timestamp(seconds: 0xffff_ffff, nanoseconds: 0), "d6ffffffffff"),
        (.timestamp(seconds: 0x1_0000_0000, nanoseconds: 0), "d7ff0000000100000000"),
        (.timestamp(seconds: 1_795_462_324, nanoseconds: 403_823_839), "d7ff6047737c6b0494b4"),
        (.timestamp(seconds: -1, nanoseconds: 2), "c70cff00000002ffffffffffffffff"),
        (.timestamp(seconds: 1 << 34, nanoseconds: 0), "c70cff000000000000000400000000"),
    ]

    @Test("is written as Go writes it, and read back", arguments: forms)
    func bothWays(value: MessagePackValue, hex: String) throws {
        #expect(Hex.encode(value.encoded) == hex)
        #expect(try MessagePackValue(decoding: #require(Hex.decode(hex))) == value)
    }

    @Test(
        "has the shortest head for every length",
        arguments: [
            (31, "bf"), (32, "d920"), (255, "d9ff"), (256, "da0100"), (65535, "daffff"), (65536, "db00010000"),
        ])
    func textHeads(count: Int, hex: String) throws {
        let value = MessagePackValue.string([UInt8](repeating: 0x61, count: count))
        let head = try #require(Hex.decode(hex))
        #expect(value.encoded == head + [UInt8](repeating: 0x61, count: count))
        #expect(try MessagePackValue(decoding: value.encoded) == value)
    }

    @Test(
        "has the shortest head for arrays, maps, binaries and extensions",
        arguments: [
            (15, "9f", "8f", "c40f", "c70f05"), (16, "dc0010", "de0010", "c410", "d805"),
            (255, "dc00ff", "de00ff", "c4ff", "c7ff05"), (256, "dc0100", "de0100", "c50100", "c8010005"),
            (65536, "dd00010000", "df00010000", "c600010000", "c90001000005"),
        ])
    func containerHeads(count: Int, array: String, map: String, binary: String, ext: String) throws {
        let bytes = [UInt8](repeating: 0xc0, count: count)
        let pair = MessagePackValue.Pair(.nil, .nil)
        for (value, head, length) in [
            (MessagePackValue.array(Array(repeating: .nil, count: count)), array, count),
            (.map(Array(repeating: pair, count: count)), map, 2 * count), (.binary(bytes), binary, count),
            (.ext(5, bytes), ext, count),
        ] {
            let expected = try #require(Hex.decode(head)) + [UInt8](repeating: 0xc0, count: length)
            #expect(value.encoded == expected)
            #expect(try MessagePackValue(decoding: expected) == value)
        }
    }

    @Test("reads floats of 32 bits, and integers in longer forms than needed")
    func otherForms() throws {
        #expect(try MessagePackValue(decoding: [0xca, 0x3f, 0xc0, 0, 0]) == .double(1.5))
        #expect(try MessagePackValue(decoding: [0xcf, 0, 0, 0, 0, 0, 0, 0, 5]) == .int(5))
        #expect(try MessagePackValue(decoding: [0xd3, 0, 0, 0, 0, 0, 0, 0, 5]) == .int(5))
        #expect(try MessagePackValue(decoding: [0xd9, 1, 0x61]) == .text("a"))
    }

    @Test("stops at the end of the first value")
    func trailing() throws {
        #expect(try MessagePackValue(decoding: [0x92, 1, 2, 0xc1, 0xff]) == .array([.int(1), .int(2)]))
    }

    static let hostile: [(String, MessagePackError)] = [
        ("", .truncated), ("c1", .invalid(0xc1)), ("91c1", .invalid(0xc1)), ("a2", .truncated), ("a261", .truncated),
        ("d9", .truncated), ("dbffffffff", .truncated), ("c6ffffffff00", .truncated), ("ddffffffff", .truncated),
        ("ddffffffffc0", .truncated), ("dfffffffff", .truncated), ("df7fffffffc0c0", .truncated), ("81c0", .truncated),
        ("c9ffffffff00", .truncated), ("c7", .truncated), ("d4", .truncated),
        ("d405", .truncated), ("cb00", .truncated), ("cc", .truncated), ("93c0c0", .truncated),
        (String(repeating: "91", count: 17) + "c0", .tooDeep), (String(repeating: "81", count: 10), .truncated),
        (String(repeating: "81", count: 40) + String(repeating: "c0", count: 80), .tooDeep),
        (String(repeating: "91", count: 100_000), .tooDeep),
    ]

    @Test("is refused when it declares what it does not have, or is nested too deep", arguments: hostile)
    func refused(hex: String, error: MessagePackError) throws {
        let bytes = try #require(Hex.decode(hex))
        #expect(throws: error) { try MessagePackValue(decoding: bytes) }
    }

    @Test("may be 16 levels deep and 1 MiB long")
    func limits() throws {
        let deep = [UInt8](repeating: 0x91, count: 16) + [0xc0]
        var value = MessagePackValue.nil
        for _ in 0..<16 { value = .array([value]) }
        #expect(try MessagePackValue(decoding: deep) == value)
        let text = MessagePackValue.string([UInt8](repeating: 0x61, count: 1 << 20 - 5))
        #expect(try MessagePackValue(decoding: text.encoded) == text)
        #expect(throws: MessagePackError.tooLarge(1 << 20 + 1)) {
            try MessagePackValue(decoding: text.encoded + [0])
        }
    }

    @Test("of random bytes is read or refused, and what was read is written and read the same")
    func random() throws {
        var generator = SeededGenerator(seed: 7)
        var (read, refused, changed) = (0, 0, 0)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<64, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            if let value = try? MessagePackValue(decoding: bytes) {
                read += 1
                // Compared as bytes: a NaN is not equal to itself.
                let bytes = value.encoded
                if try MessagePackValue(decoding: bytes).encoded != bytes { changed += 1 }
            } else {
                refused += 1
            }
        }
        #expect(read > 1000)
        #expect(refused > 1000)
        #expect(changed == 0)
    }
}
