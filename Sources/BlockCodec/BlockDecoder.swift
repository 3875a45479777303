internal import Support

/// Turns stored blocks back into plain bytes, and believes nothing that was not checked.
///
/// One per thread: it owns scratch memory and contexts, which are used again, so that decoding does not allocate once
/// the largest block has been seen. Never blocks.
public struct BlockDecoder: ~Copyable {
    var scratch = ScratchMemory()
    private var gcm = AESGCM()
    private var zstd = ZstdDecompressor()

    public init() {}

    /// Decodes one block.
    ///
    /// Checked in this order: the stored length, the id, the decryption, the declared length, the compressed form, and
    /// the plain bytes against the key.
    /// - Parameter plain: takes the bytes; its count must be the reference's plain length. Undefined after a throw.
    /// - Throws: what is wrong; `wrongLength` also when `plain` does not have the reference's length.
    public mutating func decode(
        _ stored: UnsafeRawBufferPointer, as reference: BlockReference, into plain: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        try Self.checkLengths(stored, reference, plain)
        guard BLAKE2b.hash(stored, reference.codec.digestLength) == reference.id else { throw .wrongID }
        try open(stored, reference, into: plain)
        let digest = BLAKE2b.hash(UnsafeRawBufferPointer(plain), reference.codec.digestLength)
        guard digest == reference.key else { throw .wrongContent }
    }

    /// Decrypts and decompresses.
    mutating func open(
        _ stored: UnsafeRawBufferPointer, _ reference: BlockReference, into plain: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        let scratch = scratch.bytes(stored.count)
        let length: Int
        switch reference.codec {
        case .xxteaSnappy: length = try XXTEA.decrypt(stored, key: reference.key, into: scratch)
        case .gcmSnappy, .gcmZstd: length = try gcm.open(stored, key: reference.key, into: scratch)
        }
        try decompress(UnsafeRawBufferPointer(rebasing: scratch[..<length]), reference, into: plain)
    }

    static func checkLengths(
        _ stored: UnsafeRawBufferPointer, _ reference: BlockReference, _ plain: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        guard plain.count == reference.plainLength, plain.count > 0 else {
            throw .wrongLength(found: plain.count, expected: max(1, reference.plainLength))
        }
        guard plain.count <= BlockCodec.maximumPlainLength else {
            throw .tooLarge(declared: plain.count, limit: BlockCodec.maximumPlainLength)
        }
        let limit = reference.codec.maximumStoredLength(plainLength: plain.count)
        guard stored.count <= limit else { throw .tooLarge(declared: stored.count, limit: limit) }
    }

    mutating func decompress(
        _ compressed: UnsafeRawBufferPointer, _ reference: BlockReference,
        into plain: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        switch reference.codec {
        case .xxteaSnappy, .gcmSnappy: try Snappy.decompress(compressed, into: plain)
        case .gcmZstd: try zstd.decompress(compressed, into: plain)
        }
    }
}
