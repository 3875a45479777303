import Support
import Testing

@testable import BlockCodec

@Suite("XXTEA")
struct XXTEATests {
    static let key = BLAKE2b.hash([1, 2, 3], .bytes16)

    private func encrypt(_ plain: [UInt8], _ key: Digest) throws -> [UInt8] {
        var memory = ScratchMemory()
        let output = memory.bytes(plain.count + 16)
        let length = try plain.withUnsafeBytes { plain throws(CodecError) in
            try XXTEA.encrypt(plain, key: key, into: output)
        }
        return Array(output[..<length])
    }

    private func decrypt(_ encrypted: [UInt8], _ key: Digest) throws -> [UInt8] {
        var memory = ScratchMemory()
        let output = memory.bytes(encrypted.count)
        let length = try encrypted.withUnsafeBytes { encrypted throws(CodecError) in
            try XXTEA.decrypt(encrypted, key: key, into: output)
        }
        return Array(output[..<length])
    }

    @Test(
        "gives what Wheeler and Needham's own loop gives, written in another language",
        arguments: [
            (100, "93cd5087bbc2bdb5e75f2fb1fa160840"),
            (205, "92bf91b319835bf1f322ef87cbc3b8ab"),
            (1000, "45e31f437b1d067656ffcab3a7faa038"),
            (4001, "d3ff4437f2e74d7250ba55d32eb23ade"),
        ])
    func knownAnswers(size: Int, digest: String) throws {
        let key = try #require(Digest(Array(0..<16)))
        let plain = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(BLAKE2b.hash(try encrypt(plain, key), .bytes16).description == digest)
    }

    @Test("comes back at every length up to 300")
    func roundTrip() throws {
        for size in 1...300 {
            let plain = Blocks.random(size, seed: 5)
            let encrypted = try encrypt(plain, Self.key)
            #expect(encrypted.count == (size + 3) / 4 * 4 + 4)
            #expect(try decrypt(encrypted, Self.key) == plain, "\(size) bytes")
        }
    }

    @Test("uses all of a key with a zero byte in front")
    func zeroInKey() throws {
        let first = try #require(Digest(hex: "00112233445566778899aabbccddeeff"))
        let second = try #require(Digest(hex: "00112233445566778899aabbccddeefe"))
        let plain = Blocks.random(100, seed: 1)
        #expect(try encrypt(plain, first) != encrypt(plain, second))
        #expect(try decrypt(encrypt(plain, first), first) == plain)
    }

    @Test("is refused when the length word does not fit")
    func lengthWord() throws {
        for length in [0, 4, 9, 1000, UInt32.max] as [UInt32] {
            // Two words of plain bytes and the length: 5 to 8 would fit.
            var words: [UInt32] = [1, 2, length]
            let key = try #require(XXTEA.key(Self.key))
            words.withUnsafeMutableBufferPointer { words in
                if let base = words.baseAddress { XXTEA.encrypt(base, 3, key) }
            }
            let encrypted = words.withUnsafeBytes { Array($0) }
            #expect(throws: CodecError.wrongKey) { try decrypt(encrypted, Self.key) }
        }
    }

    @Test("is refused when it is not whole words, or fewer than two", arguments: [0, 1, 3, 4, 5, 7, 9, 10, 11, 4095])
    func words(count: Int) {
        #expect(throws: CodecError.wrongKey) { try decrypt(Blocks.random(count, seed: 3), Self.key) }
    }

    @Test("takes 6 rounds from 53 words on, and 32 at most")
    func rounds() {
        #expect(XXTEA.rounds(2) == 32)
        #expect(XXTEA.rounds(52) == 7)
        #expect(XXTEA.rounds(XXTEA.fewestLaneWords) == 6)
        #expect(XXTEA.rounds(152_927) == 6)
    }
}
