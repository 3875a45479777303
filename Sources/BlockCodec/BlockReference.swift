public import Support

/// How a block's plain bytes become the bytes that a store holds.
public enum BlockCodec: UInt8, Sendable, CaseIterable {
    /// Snappy, then XXTEA; digests of 16 bytes. The `.flist` format.
    case xxteaSnappy = 1
    /// Snappy, then AES-256-GCM; digests of 32 bytes. The rfs `.fl` format.
    case gcmSnappy = 2
    /// Zstandard, then AES-256-GCM; digests of 32 bytes. Our own `.fl` format.
    case gcmZstd = 3

    /// The length of ids and keys.
    public var digestLength: BLAKE2b.Length { self == .xxteaSnappy ? .bytes16 : .bytes32 }
}

/// What names one block: where to find it, how to read it, and what it must turn out to be.
public struct BlockReference: Hashable, Sendable {
    /// BLAKE2b of the stored bytes: the name in a store.
    public let id: Digest
    /// BLAKE2b of the plain bytes, and the key that the stored bytes are encrypted with.
    public let key: Digest
    public let codec: BlockCodec
    /// The number of plain bytes, at least 1.
    public let plainLength: Int

    public init(id: Digest, key: Digest, codec: BlockCodec, plainLength: Int) {
        self.id = id
        self.key = key
        self.codec = codec
        self.plainLength = plainLength
    }
}

/// The blocks of one file, in order. `nil` at an index is a hole: zeros that no store holds.
public protocol BlockList: Sendable {
    /// The file's size in bytes.
    var size: UInt64 { get }
    /// Plain bytes in every block but the last.
    var blockSize: Int { get }
    /// `size` over `blockSize`, rounded up.
    var count: Int { get }
    /// The block at `index`, which must be at least 0 and below `count`.
    subscript(index: Int) -> BlockReference? { get }
}

extension BlockList {
    /// The number of plain bytes of the block at `index`.
    public func plainLength(at index: Int) -> Int {
        index == count - 1 ? Int(size - UInt64(index) * UInt64(blockSize)) : blockSize
    }
}
