import BlockCodec
import Support
import Testing

@Suite("Damaged blocks")
struct DamagedBlockTests {
    static let plain = Array("a small block of a file, compressible: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".utf8)

    @Test("with one bit flipped do not have their id", arguments: BlockCodec.allCases)
    func flippedBit(codec: BlockCodec) throws {
        let (reference, stored) = try Blocks.encode(Self.plain, codec)
        for index in stored.indices {
            var bad = stored
            bad[index] ^= 1 << UInt8(index % 8)
            #expect(throws: CodecError.wrongID) { try Blocks.decode(bad, as: reference) }
        }
    }

    @Test("with one bit flipped and a fitting id are not decrypted", arguments: BlockCodec.allCases)
    func flippedBitUnderNewID(codec: BlockCodec) throws {
        let (reference, stored) = try Blocks.encode(Self.plain, codec)
        for index in stored.indices {
            var bad = stored
            bad[index] ^= 1 << UInt8(index % 8)
            #expect(throws: CodecError.wrongKey) {
                try Blocks.decode(bad, as: Blocks.reference(reference, for: bad))
            }
        }
    }

    @Test("cut short and with a fitting id are not decrypted", arguments: BlockCodec.allCases)
    func truncated(codec: BlockCodec) throws {
        let (reference, stored) = try Blocks.encode(Self.plain, codec)
        for count in 0..<stored.count {
            let bad = Array(stored[..<count])
            #expect(throws: CodecError.wrongID) { try Blocks.decode(bad, as: reference) }
            #expect(throws: CodecError.wrongKey) {
                try Blocks.decode(bad, as: Blocks.reference(reference, for: bad))
            }
        }
    }

    @Test("with another block's key are not decrypted", arguments: BlockCodec.allCases)
    func wrongKey(codec: BlockCodec) throws {
        let (reference, stored) = try Blocks.encode(Self.plain, codec)
        let other = BlockReference(
            id: reference.id, key: BLAKE2b.hash([1], codec.digestLength), codec: codec,
            plainLength: reference.plainLength)
        #expect(throws: CodecError.wrongKey) { try Blocks.decode(stored, as: other) }
    }

    @Test("with digests of the other length are refused", arguments: BlockCodec.allCases)
    func digestLength(codec: BlockCodec) throws {
        let (reference, stored) = try Blocks.encode(Self.plain, codec)
        let length: BLAKE2b.Length = codec.digestLength == .bytes16 ? .bytes32 : .bytes16
        let key = BlockReference(
            id: reference.id, key: BLAKE2b.hash(Self.plain, length), codec: codec,
            plainLength: reference.plainLength)
        #expect(throws: CodecError.wrongKey) { try Blocks.decode(stored, as: key) }
        let id = BlockReference(
            id: BLAKE2b.hash(stored, length), key: reference.key, codec: codec, plainLength: reference.plainLength)
        #expect(throws: CodecError.wrongID) { try Blocks.decode(stored, as: id) }
    }

    @Test("longer than any encoder makes them are refused before they are hashed", arguments: BlockCodec.allCases)
    func tooLong(codec: BlockCodec) throws {
        let (reference, _) = try Blocks.encode(Self.plain, codec)
        let limit = codec.maximumStoredLength(plainLength: Self.plain.count)
        let junk = [UInt8](repeating: 7, count: limit + 1)
        #expect(throws: CodecError.tooLarge(declared: limit + 1, limit: limit)) {
            try Blocks.decode(junk, as: reference)
        }
        #expect(throws: CodecError.wrongID) { try Blocks.decode(Array(junk.dropLast()), as: reference) }
    }

    @Test("that hold more or less than the flist says are refused", arguments: BlockCodec.allCases)
    func otherLength(codec: BlockCodec) throws {
        let plain = Blocks.data(.random, 500)
        let (reference, stored) = try Blocks.encode(plain, codec)
        func saying(_ length: Int) -> BlockReference {
            BlockReference(id: reference.id, key: reference.key, codec: codec, plainLength: length)
        }
        #expect(throws: CodecError.tooLarge(declared: 500, limit: 499)) {
            try Blocks.decode(stored, as: saying(499))
        }
        #expect(throws: CodecError.wrongLength(found: 500, expected: 501)) {
            try Blocks.decode(stored, as: saying(501))
        }
        #expect(throws: CodecError.wrongLength(found: 0, expected: 1)) { try Blocks.decode(stored, as: saying(0)) }
        #expect(throws: CodecError.wrongLength(found: 0, expected: 1)) { try Blocks.decode(stored, as: saying(-5)) }
    }

    @Test("are refused when the memory has not the block's length", arguments: BlockCodec.allCases)
    func memory(codec: BlockCodec) throws {
        let (reference, stored) = try Blocks.encode(Self.plain, codec)
        var failure: CodecError?
        var decoder = BlockDecoder()
        var memory = [UInt8](repeating: 0, count: Self.plain.count + 1)
        memory.withUnsafeMutableBytes { memory in
            stored.withUnsafeBytes { stored in
                do throws(CodecError) {
                    try decoder.decode(stored, as: reference, into: memory)
                } catch { failure = error }
            }
        }
        #expect(failure == .wrongLength(found: Self.plain.count + 1, expected: Self.plain.count))
    }

    @Test("of random bytes are refused, whatever they are", arguments: BlockCodec.allCases)
    func junk(codec: BlockCodec) {
        var decoder = BlockDecoder()
        var outcomes: Set<CodecError> = []
        for seed in 0..<2000 as Range<UInt64> {
            var generator = SplitMix64(state: seed)
            let length = Int.random(in: 1...300, using: &generator)
            let stored = Blocks.random(Int.random(in: 0...300, using: &generator), seed: seed)
            let reference = BlockReference(
                id: BLAKE2b.hash(stored, codec.digestLength),
                key: BLAKE2b.hash(Blocks.random(length, seed: ~seed), codec.digestLength), codec: codec,
                plainLength: length)
            do throws(CodecError) {
                _ = try Blocks.decode(stored, as: reference, with: &decoder)
                Issue.record("seed \(seed) was decoded")
            } catch {
                if case .tooLarge(let declared, _) = error { #expect(declared == stored.count) }
                outcomes.insert(error == .wrongKey ? error : .tooLarge(declared: 0, limit: 0))
            }
        }
        #expect(outcomes == [.wrongKey, .tooLarge(declared: 0, limit: 0)])
    }
}
