import Support
import Testing

@testable import BlockCodec

@Suite("Forged snappy blocks")
struct ForgedSnappyTests {
    static let codecs = [BlockCodec.xxteaSnappy, .gcmSnappy]
    static let plain = Array("hello flist\n".utf8)
    static let literal: [UInt8] = [0x2c] + plain

    @Test("that are valid are decoded, so the forgery itself is sound", arguments: codecs)
    func valid(codec: BlockCodec) throws {
        #expect(try Forgery.refusal([12] + Self.literal, codec, plain: Self.plain) == nil)
    }

    @Test("that declare more than the block are refused", arguments: codecs)
    func bomb(codec: BlockCodec) throws {
        for declared in [13, 1000, 1 << 20, UInt64(UInt32.max)] {
            #expect(
                try Forgery.refusal(Forgery.varint(declared) + Self.literal, codec, plain: Self.plain)
                    == .tooLarge(declared: Int(declared), limit: 12))
        }
    }

    @Test("that declare less are refused", arguments: codecs)
    func less(codec: BlockCodec) throws {
        #expect(
            try Forgery.refusal([11] + Self.literal, codec, plain: Self.plain)
                == .wrongLength(found: 11, expected: 12))
    }

    @Test("without a valid length are refused", arguments: codecs)
    func noLength(codec: BlockCodec) throws {
        for compressed in [[0x80], [0xff, 0xff, 0xff, 0xff, 0xff], Forgery.varint(1 << 32) + Self.literal] {
            #expect(
                try Forgery.refusal(compressed, codec, plain: Self.plain) == .damaged("snappy: no valid length"))
        }
    }

    @Test("with broken elements are refused", arguments: codecs)
    func elements(codec: BlockCodec) throws {
        let broken: [[UInt8]] = [
            [12],
            [12] + Self.literal.dropLast(),
            [12] + Self.literal + [0],
            [12, 0x00, 0x61, 0x2a, 0x02, 0x00],  // copies from before the beginning
            [12, 0x00, 0x61, 0x2a, 0x00, 0x00],  // copies from no distance
            [12, 0xfc, 0xff, 0xff, 0xff, 0xff],  // a literal of 4 GiB
        ]
        for compressed in broken {
            #expect(
                try Forgery.refusal(compressed, codec, plain: Self.plain) == .damaged("snappy: broken elements"))
        }
    }

    @Test("of other bytes of the same length are refused", arguments: codecs)
    func otherContent(codec: BlockCodec) throws {
        let compressed: [UInt8] = [12, 0x2c] + Array("hallo flist\n".utf8)
        #expect(try Forgery.refusal(compressed, codec, plain: Self.plain) == .wrongContent)
    }

    @Test("of nothing are refused")
    func empty() throws {
        #expect(try Forgery.refusal([], .gcmSnappy, plain: Self.plain) == .damaged("snappy: empty"))
        #expect(try Forgery.refusal([], .xxteaSnappy, plain: Self.plain) == .wrongKey)
    }

    @Test("of random bytes are refused, whatever they are", arguments: codecs)
    func junk(codec: BlockCodec) throws {
        var generator = SplitMix64(state: 1)
        for seed in 0..<2000 as Range<UInt64> {
            let plain = Blocks.random(Int.random(in: 1...200, using: &generator), seed: ~seed)
            // Half of them with the right length in front, so that the elements are reached.
            let junk = Blocks.random(Int.random(in: 0...100, using: &generator), seed: seed)
            let compressed = seed % 2 == 0 ? junk : Forgery.varint(UInt64(plain.count)) + junk
            let limit = codec.maximumStoredLength(plainLength: plain.count)
            guard compressed.count + 24 < limit else { continue }
            #expect(try Forgery.refusal(compressed, codec, plain: plain) != nil, "seed \(seed)")
        }
    }
}
