internal import BlockCodec

extension BlockList {
    /// The first byte at or after `offset` that a block holds; nil past the last, see lseek(2).
    func nextData(from offset: UInt64) -> UInt64? {
        guard offset < size else { return nil }
        var block = Int(offset / UInt64(blockSize))
        while block < count {
            if self[block] != nil { return max(offset, UInt64(block) * UInt64(blockSize)) }
            block += 1
        }
        return nil
    }

    /// The first byte at or after `offset` that lies in a hole; the end of the file counts as one.
    func nextHole(from offset: UInt64) -> UInt64? {
        guard offset < size else { return nil }
        var block = Int(offset / UInt64(blockSize))
        while block < count {
            if self[block] == nil { return max(offset, UInt64(block) * UInt64(blockSize)) }
            block += 1
        }
        return size
    }
}
