/// Decides which blocks of one file to ask for before its reader does.
///
/// A reader that goes through a file from its start, or steadily from anywhere, is run ahead of; one that jumps is
/// left alone. The window quadruples with every block that is consumed in order: a store 100 ms away is then read
/// at its bandwidth after two round trips. Not thread-safe; the owner locks.
struct ReadaheadWindow {
    /// Blocks asked for when a file is first read from its start. 2 MiB with the usual blocks.
    static let first = 4

    /// Reads arrive a little out of order, since the kernel sends several at once: 2 MiB.
    private static let slack: UInt64 = 2 << 20

    private var expected: UInt64?
    private var size = 0
    private var lastBlock = -1
    /// The first block not asked for yet in this run.
    private var frontier = 0

    /// Takes note of a read and answers the blocks to ask for now.
    ///
    /// - Parameters:
    ///   - range: the bytes that are read, not empty.
    ///   - blockSize: plain bytes in a block.
    ///   - limit: the most blocks to be ahead; more for stores that are far away.
    mutating func read(_ range: Range<UInt64>, blockSize: Int, blockCount: Int, limit: Int) -> Range<Int> {
        let block = Int((range.upperBound - 1) / UInt64(blockSize))
        defer { expected = max(expected ?? 0, range.upperBound) }
        let follows = expected.map { range.lowerBound <= $0 + Self.slack && range.upperBound + Self.slack >= $0 }
        switch follows {
        case .some(true):
            guard block > lastBlock else { return 0..<0 }
            size = min(limit, size == 0 ? Self.first : size * 4)
        case .none where range.lowerBound == 0:
            size = min(limit, Self.first)
        default:
            // A jump: forget the run.
            size = 0
            expected = range.upperBound
        }
        lastBlock = block
        if follows != true { frontier = block + 1 }
        let start = max(frontier, block + 1)
        let end = min(blockCount, block + 1 + size)
        guard start < end else { return 0..<0 }
        frontier = end
        return start..<end
    }
}
