/// Decides which blocks of one file to ask for before its reader does.
///
/// A reader that goes through a file from its start, or steadily from anywhere, is run ahead of; one that jumps is
/// left alone. The window quadruples with every block that is consumed in order: a store 100 ms away is then read
/// at its bandwidth after two round trips. Not thread-safe; the owner locks.
struct ReadaheadWindow {
    /// Bytes asked for when a file is first read from its start: four of the usual blocks.
    static let first = 2 << 20

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
    ///   - range: the bytes that are read, within the file.
    ///   - isLocal: whether no store was needed for them.
    ///   - blockSize: plain bytes in a block, at least 1.
    ///   - limit: the most blocks to be ahead; more for stores that are far away.
    mutating func read(
        _ range: Range<UInt64>, isLocal: Bool, blockSize: Int, blockCount: Int, limit: Int
    ) -> Range<Int> {
        guard !range.isEmpty, blockSize > 0 else { return 0..<0 }
        let block = Int((range.upperBound - 1) / UInt64(blockSize))
        let follows = expected.map { range.lowerBound <= $0 + Self.slack && range.upperBound + Self.slack >= $0 }
        // Somebody who goes over what is there already must not end another's run.
        if follows == false, isLocal { return 0..<0 }
        let first = min(limit, max(1, Self.first / blockSize))
        switch follows {
        case .some(true):
            expected = max(expected ?? 0, range.upperBound)
            guard block > lastBlock else { return 0..<0 }
            size = size == 0 ? first : min(limit, size * 4)
        case .none where range.lowerBound == 0:
            expected = range.upperBound
            size = first
        default:
            // A jump: forget the run.
            expected = range.upperBound
            size = 0
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
