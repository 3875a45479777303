import BlockCodec
import Support
import Testing

@Suite("Blocks encoded and decoded")
struct RoundTripTests {
    static let sizes = [1, 2, 3, 4, 5, 127, 128, 129, 4095, 4096, 4097, 524_287, 524_288]

    @Test("come back as they were", arguments: BlockCodec.allCases, Blocks.Content.allCases)
    func roundTrip(codec: BlockCodec, content: Blocks.Content) throws {
        // One encoder and one decoder for all sizes, since their memory and contexts are used again.
        var encoder = BlockEncoder(codec: codec)
        var decoder = BlockDecoder()
        for size in Self.sizes + [1, 4096] {
            let plain = Blocks.data(content, size)
            let (reference, stored) = try Blocks.encode(plain, with: &encoder)
            #expect(reference.plainLength == size)
            #expect(reference.codec == codec)
            #expect(reference.key == BLAKE2b.hash(plain, codec.digestLength))
            #expect(reference.id == BLAKE2b.hash(stored, codec.digestLength))
            #expect(stored.count <= codec.maximumStoredLength(plainLength: size))
            let decoded = try Blocks.decode(stored, as: reference, with: &decoder)
            #expect(decoded == plain, "\(size) bytes")
        }
    }

    @Test("are the same encoded together or one by one", arguments: BlockCodec.allCases)
    func together(codec: BlockCodec) throws {
        let plain = (Self.sizes + [4096]).map { Blocks.data(.text, $0) }
        var encoder = BlockEncoder(codec: codec)
        var alone: [(reference: BlockReference, stored: [UInt8])] = []
        for bytes in plain { alone.append(try Blocks.encode(bytes, with: &encoder)) }
        // Memory that the encoder may not write to, and that outlives the call.
        let inputs = plain.map { bytes in
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            memory.copyBytes(from: bytes)
            return UnsafeRawBufferPointer(memory)
        }
        defer { inputs.forEach { $0.deallocate() } }
        var numbers: [Int] = []
        try encoder.encode(zip(inputs, alone).map { ($0, $1.reference.key) }) { number, reference, stored in
            numbers.append(number)
            #expect(reference == alone[number].reference)
            #expect(Array(stored) == alone[number].stored)
        }
        #expect(numbers == Array(plain.indices))
        #expect(throws: CodecError.wrongLength(found: 0, expected: 1)) {
            let key = BLAKE2b.hash([], codec.digestLength)
            try encoder.encode([
                (inputs[0], alone[0].reference.key), (UnsafeRawBufferPointer(start: nil, count: 0), key),
            ]) {
                _, _, _ in Issue.record("a block was handed over")
            }
        }
    }

    @Test("come back at every level of zstd", arguments: [-5, 1, 3, 9, 19, 22] as [Int32])
    func levels(level: Int32) throws {
        let plain = Blocks.data(.text, 300_000)
        let (reference, stored) = try Blocks.encode(plain, .gcmZstd, level: level)
        #expect(try Blocks.decode(stored, as: reference) == plain)
    }

    @Test("are equal for equal bytes", arguments: BlockCodec.allCases)
    func convergence(codec: BlockCodec) throws {
        var encoder = BlockEncoder(codec: codec)
        let plain = Blocks.data(.text, 5000)
        let first = try Blocks.encode(plain, with: &encoder)
        _ = try Blocks.encode(Blocks.data(.random, 9000), with: &encoder)
        let second = try Blocks.encode(plain, with: &encoder)
        #expect(first.reference == second.reference)
        #expect(first.stored == second.stored)
    }

    @Test("decode after a failure in the same decoder", arguments: BlockCodec.allCases)
    func afterFailure(codec: BlockCodec) throws {
        var decoder = BlockDecoder()
        let plain = Blocks.data(.text, 5000)
        let (reference, stored) = try Blocks.encode(plain, codec)
        var bad = stored
        bad[stored.count / 2] ^= 1
        var failure: CodecError?
        do throws(CodecError) {
            _ = try Blocks.decode(bad, as: Blocks.reference(reference, for: bad), with: &decoder)
        } catch {
            failure = error
        }
        #expect(failure == .wrongKey)
        let decoded = try Blocks.decode(stored, as: reference, with: &decoder)
        #expect(decoded == plain)
    }

    @Test("are not made of nothing", arguments: BlockCodec.allCases)
    func empty(codec: BlockCodec) {
        #expect(throws: CodecError.wrongLength(found: 0, expected: 1)) { try Blocks.encode([], codec) }
    }
}
