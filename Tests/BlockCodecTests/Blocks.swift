import BlockCodec
import Support

/// Encodes and decodes arrays, and makes the data that the tests run on.
enum Blocks {
    static func encode(
        _ plain: [UInt8], _ codec: BlockCodec, level: Int32 = 3
    ) throws(CodecError) -> (reference: BlockReference, stored: [UInt8]) {
        var encoder = BlockEncoder(codec: codec, level: level)
        return try encode(plain, with: &encoder)
    }

    static func encode(
        _ plain: [UInt8], with encoder: inout BlockEncoder
    ) throws(CodecError) -> (reference: BlockReference, stored: [UInt8]) {
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: plain.count, alignment: 1)
        defer { input.deallocate() }
        input.copyBytes(from: plain)
        let (reference, stored) = try encoder.encode(UnsafeRawBufferPointer(input))
        return (reference, Array(stored))
    }

    static func decode(_ stored: [UInt8], as reference: BlockReference) throws(CodecError) -> [UInt8] {
        var decoder = BlockDecoder()
        return try decode(stored, as: reference, with: &decoder)
    }

    static func decode(
        _ stored: [UInt8], as reference: BlockReference, with decoder: inout BlockDecoder
    ) throws(CodecError) -> [UInt8] {
        // Exactly as long as needed and apart from other memory, so that a sanitizer sees a byte too many.
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: stored.count, alignment: 1)
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: max(0, reference.plainLength), alignment: 1)
        defer {
            input.deallocate()
            output.deallocate()
        }
        input.copyBytes(from: stored)
        try decoder.decode(UnsafeRawBufferPointer(input), as: reference, into: output)
        return Array(output)
    }

    /// The same reference with the id of other stored bytes: what a store would hold that somebody tampered with.
    static func reference(_ reference: BlockReference, for stored: [UInt8]) -> BlockReference {
        BlockReference(
            id: BLAKE2b.hash(stored, reference.codec.digestLength), key: reference.key, codec: reference.codec,
            plainLength: reference.plainLength)
    }

    enum Content: CaseIterable, Sendable { case zeros, random, text }

    static func data(_ content: Content, _ size: Int) -> [UInt8] {
        switch content {
        case .zeros: Array(repeating: 0, count: size)
        case .random: random(size, seed: UInt64(size))
        case .text: Array(Array("lazily loaded root filesystem, block \(size) of many\n".utf8).repeated(to: size))
        }
    }

    /// The same bytes for the same seed, by SplitMix64.
    static func random(_ size: Int, seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(state: seed)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 8)
        while bytes.count < size {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(size))
    }
}

struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

extension [UInt8] {
    func repeated(to size: Int) -> [UInt8] {
        (0..<size).map { self[$0 % count] }
    }
}
