internal import BlockCodec

/// How a content is cut into blocks. Does not believe the list: a list that contradicts itself has no blocks.
struct BlockLayout: Hashable, Sendable {
    /// Bytes.
    let size: UInt64
    /// Bytes in every block but the last.
    let blockSize: Int
    let count: Int

    /// Blocks of one content that the cache takes: 32 TiB in blocks of 512 KiB, two bitmaps of 8 MiB.
    private static let maximumCount: UInt64 = 1 << 26
    /// Bytes of one block that the cache takes.
    static let maximumBlockSize = 1 << 30

    init(_ blocks: any BlockList) {
        self.init(size: blocks.size, blockSize: blocks.blockSize, declaredCount: blocks.count)
    }

    init(size: UInt64, blockSize: Int, declaredCount: Int? = nil) {
        self.size = size
        self.blockSize = blockSize
        guard blockSize > 0, blockSize <= Self.maximumBlockSize, size <= UInt64(Int64.max) else {
            count = 0
            return
        }
        let (whole, rest) = size.quotientAndRemainder(dividingBy: UInt64(blockSize))
        let count = whole + (rest > 0 ? 1 : 0)
        guard count <= Self.maximumCount, declaredCount.map({ $0 == Int(count) }) ?? true else {
            self.count = 0
            return
        }
        self.count = Int(count)
    }

    /// Whether the numbers agree with one another and are within the limits.
    var isValid: Bool { count > 0 || (size == 0 && blockSize > 0) }

    /// Bytes in the block at `index`, which must be one of the layout's.
    func length(of index: Int) -> Int {
        index == count - 1 ? Int(size - offset(of: index)) : blockSize
    }

    /// Where the block at `index` begins, in bytes.
    func offset(of index: Int) -> UInt64 { UInt64(index) * UInt64(blockSize) }

    /// The blocks that a non-empty range of bytes touches; nil if it does not lie in the content.
    func blocks(in range: Range<UInt64>) -> Range<Int>? {
        guard range.upperBound <= size, range.lowerBound < range.upperBound, count > 0 else { return nil }
        let unit = UInt64(blockSize)
        return Int(range.lowerBound / unit)..<Int((range.upperBound - 1) / unit) + 1
    }

    /// The runs of blocks that are holes.
    func holes(in blocks: any BlockList) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for index in 0..<count where blocks[index] == nil {
            if let last = runs.last, last.upperBound == index {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return runs
    }
}
