public import Support

/// Turns plain bytes into stored blocks: equal bytes give equal blocks, within one version of the compressor.
///
/// One per thread: it owns scratch memory and contexts, which are used again. Never blocks.
public struct BlockEncoder: ~Copyable {
    public let codec: BlockCodec
    private var compressed = ScratchMemory()
    private var stored = ScratchMemory()
    private var gcm = AESGCM()
    private var zstd: ZstdCompressor

    /// - Parameter level: Zstandard's, from fast and large to slow and small; snappy has none.
    public init(codec: BlockCodec, level: Int32 = 3) {
        self.codec = codec
        zstd = ZstdCompressor(level: level)
    }

    /// Encodes one block.
    ///
    /// - Parameter key: the hash of the plain bytes, for a caller who has it already.
    /// - Returns: what an image needs to know of the block, and the bytes for the store. They are valid until the next
    ///   call and as long as the encoder lives.
    /// - Throws: `wrongLength` for no bytes, `tooLarge` for more than 1 GiB.
    public mutating func encode(
        _ plain: UnsafeRawBufferPointer, key known: Digest? = nil
    ) throws(CodecError) -> (reference: BlockReference, stored: UnsafeRawBufferPointer) {
        guard !plain.isEmpty else { throw .wrongLength(found: 0, expected: 1) }
        guard plain.count <= BlockCodec.maximumPlainLength else {
            throw .tooLarge(declared: plain.count, limit: BlockCodec.maximumPlainLength)
        }
        let key = known ?? BLAKE2b.hash(plain, codec.digestLength)
        let limit = codec.maximumStoredLength(plainLength: plain.count)
        let compressed = compressed.bytes(limit)
        let compressedLength =
            switch codec {
            case .xxteaSnappy, .gcmSnappy: try Snappy.compress(plain, into: compressed)
            case .gcmZstd: try zstd.compress(plain, into: compressed)
            }
        let input = UnsafeRawBufferPointer(rebasing: compressed[..<compressedLength])
        let output = stored.bytes(limit)
        let length =
            switch codec {
            case .xxteaSnappy: try XXTEA.encrypt(input, key: key, into: output)
            case .gcmSnappy, .gcmZstd: try gcm.seal(input, key: key, into: output)
            }
        let stored = UnsafeRawBufferPointer(rebasing: output[..<length])
        let reference = BlockReference(
            id: BLAKE2b.hash(stored, codec.digestLength), key: key, codec: codec, plainLength: plain.count)
        return (reference, stored)
    }
}
