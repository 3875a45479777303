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
    /// - Returns: what an image needs to know of the block, and the bytes for the store. They are valid until the next
    ///   call and as long as the encoder lives.
    /// - Throws: `wrongLength` for no bytes, `tooLarge` for more than 1 GiB.
    public mutating func encode(
        _ plain: UnsafeRawBufferPointer
    ) throws(CodecError) -> (reference: BlockReference, stored: UnsafeRawBufferPointer) {
        let key = BLAKE2b.hash(plain, codec.digestLength)
        let output = stored.bytes(codec.maximumStoredLength(plainLength: plain.count))
        let stored = UnsafeRawBufferPointer(rebasing: output[..<(try seal(plain, key, into: output))])
        let id = BLAKE2b.hash(stored, codec.digestLength)
        return (BlockReference(id: id, key: key, codec: codec, plainLength: plain.count), stored)
    }

    /// Encodes several blocks: the same as one by one, but hashing takes up to eight in the time of two.
    ///
    /// - Parameters:
    ///   - blocks: plain bytes, and their hashes, which whoever looks for equal blocks has already.
    ///   - body: takes each block's number, what an image needs to know of it, and the bytes for the store, which are valid
    ///     until it returns.
    /// - Throws: `wrongLength` for no bytes, `tooLarge` for more than 1 GiB; then no block was handed over.
    public mutating func encode(
        _ blocks: [(plain: UnsafeRawBufferPointer, key: Digest)],
        _ body: (Int, BlockReference, UnsafeRawBufferPointer) -> Void
    ) throws(CodecError) {
        let limits = blocks.map { codec.maximumStoredLength(plainLength: $0.plain.count) }
        var rest = stored.bytes(limits.reduce(0, +))[...]
        var outputs: [UnsafeRawBufferPointer] = []
        for (block, limit) in zip(blocks, limits) {
            let output = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(limit))
            rest = rest.dropFirst(limit)
            let length = try seal(block.plain, block.key, into: output)
            outputs.append(UnsafeRawBufferPointer(rebasing: output[..<length]))
        }
        let ids = BLAKE2b.hash(outputs.map { BLAKE2b.Input($0, codec.digestLength) })
        for (number, block) in blocks.enumerated() {
            let reference = BlockReference(
                id: ids[number], key: block.key, codec: codec, plainLength: block.plain.count)
            body(number, reference, outputs[number])
        }
    }

    /// Compresses and encrypts; answers the length.
    private mutating func seal(
        _ plain: UnsafeRawBufferPointer, _ key: Digest, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        guard !plain.isEmpty else { throw .wrongLength(found: 0, expected: 1) }
        guard plain.count <= BlockCodec.maximumPlainLength else {
            throw .tooLarge(declared: plain.count, limit: BlockCodec.maximumPlainLength)
        }
        let compressed = compressed.bytes(codec.maximumStoredLength(plainLength: plain.count))
        let length =
            switch codec {
            case .xxteaSnappy, .gcmSnappy: try Snappy.compress(plain, into: compressed)
            case .gcmZstd: try zstd.compress(plain, into: compressed)
            }
        let input = UnsafeRawBufferPointer(rebasing: compressed[..<length])
        return switch codec {
        case .xxteaSnappy: try XXTEA.encrypt(input, key: key, into: output)
        case .gcmSnappy, .gcmZstd: try gcm.seal(input, key: key, into: output)
        }
    }
}
