public import BlockCodec
internal import Support

/// The blocks of one file in a `TreeIndex`, which it keeps alive.
public struct TreeIndexBlocks: BlockList {
    public let size: UInt64
    public let blockSize: Int
    public let count: Int
    private let index: TreeIndex
    private let first: Int

    init?(index: TreeIndex, record: InodeRecord) {
        guard record.type == FileType.regular.rawValue, record.flags & InodeRecord.withoutBlocks == 0 else {
            return nil
        }
        let summary = index.summary
        let blockSize = UInt64(summary.blockSize)
        // `open` has checked that the block size is at least 1.
        let count = record.size / blockSize + (record.size % blockSize == 0 ? 0 : 1)
        let stored = UInt64(index.blockSection.count / summary.codec.referenceLength)
        guard record.content <= stored, count <= stored - record.content else { return nil }
        self.index = index
        self.size = record.size
        self.blockSize = summary.blockSize
        self.count = Int(count)
        first = Int(record.content)
    }

    /// The block at `index`: nil for a hole, and for an index out of bounds.
    public subscript(position: Int) -> BlockReference? {
        guard position >= 0, position < count else { return nil }
        let codec = index.summary.codec
        let length = codec.digestLength.rawValue
        let offset = UInt64(first + position) * UInt64(codec.referenceLength)
        guard let id = index.blockSection.bytes(at: offset, count: UInt64(length)),
            let key = index.blockSection.bytes(at: offset + UInt64(length), count: UInt64(length)),
            id.contains(where: { $0 != 0 }),
            let id = Digest(id), let key = Digest(key)
        else { return nil }
        return BlockReference(id: id, key: key, codec: codec, plainLength: plainLength(at: position))
    }
}

extension BlockCodec {
    /// Bytes of an id and a key in the index.
    var referenceLength: Int { digestLength.rawValue * 2 }
}

extension TreeIndex {
    /// The blocks of a regular file. Nil for anything else, for a file whose blocks the flist does not name
    /// (`isWithoutBlocks`), and for a number that is not in the tree.
    public func blocks(of number: InodeNumber) -> TreeIndexBlocks? {
        guard let (_, record) = inode(number) else { return nil }
        return TreeIndexBlocks(index: self, record: record)
    }
}
