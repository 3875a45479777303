import Support

@testable import BlockCodec

/// A block's bytes on their way back: the first byte chooses the codec and the second the plain length.
enum CodecTarget {
    private static let lengths = [1, 12, 4096, 65_536, 524_288]

    private static func parse(
        _ bytes: UnsafeRawBufferPointer
    ) -> (codec: BlockCodec, length: Int, rest: UnsafeRawBufferPointer)? {
        guard bytes.count >= 2 else { return nil }
        let codec = BlockCodec.allCases[Int(bytes[0]) % BlockCodec.allCases.count]
        let rest = UnsafeRawBufferPointer(rebasing: bytes[2...])
        return (codec, lengths[Int(bytes[1]) % lengths.count], rest)
    }

    /// What comes out of a rightly encrypted block: anybody who has the key of one can make these.
    static func compressed(_ bytes: UnsafeRawBufferPointer) {
        guard let (codec, length, rest) = parse(bytes) else { return }
        decode(length) { plain throws(CodecError) in
            var decoder = BlockDecoder()
            let none = Digest([UInt8](repeating: 7, count: codec.digestLength.rawValue))
            guard let none else { return }
            let reference = BlockReference(id: none, key: none, codec: codec, plainLength: length)
            // Whether they are the right bytes is asked afterwards, by their hash.
            try decoder.decompress(rest, reference, into: plain)
        }
    }

    /// What a store answers, of the right name: its key stands in front.
    static func stored(_ bytes: UnsafeRawBufferPointer) {
        guard let (codec, length, rest) = parse(bytes), rest.count >= 32 else { return }
        guard let key = Digest(Array(rest.prefix(codec.digestLength.rawValue))) else { return }
        let stored = UnsafeRawBufferPointer(rebasing: rest[32...])
        let reference = BlockReference(
            id: BLAKE2b.hash(stored, codec.digestLength), key: key, codec: codec, plainLength: length)
        let isGood = decode(length) { plain throws(CodecError) in
            var decoder = BlockDecoder()
            try decoder.decode(stored, as: reference, into: plain)
            require(BLAKE2b.hash(UnsafeRawBufferPointer(plain), codec.digestLength) == key, "the bytes of the key")
        }
        together(stored, reference, isGood)
    }

    /// Side by side each block ends as it does alone.
    private static func together(_ stored: UnsafeRawBufferPointer, _ reference: BlockReference, _ isGood: Bool) {
        let plain = (0..<3).map { _ in
            UnsafeMutableRawBufferPointer.allocate(byteCount: reference.plainLength, alignment: 16)
        }
        defer { plain.forEach { $0.deallocate() } }
        var blocks = plain.map { BlockDecoding(stored: stored, reference: reference, plain: $0) }
        var decoder = BlockDecoder()
        decoder.decode(&blocks)
        require(blocks.allSatisfy { ($0.error == nil) == isGood }, "the same side by side")
    }

    /// False after an error.
    @discardableResult
    private static func decode(
        _ length: Int, _ body: (UnsafeMutableRawBufferPointer) throws(CodecError) -> Void
    ) -> Bool {
        let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 16)
        defer { plain.deallocate() }
        do throws(CodecError) {
            try body(plain)
            return true
        } catch {
            _ = "\(error)"
            return false
        }
    }
}
