internal import Synchronization

/// Remembers which blocks of a file the recorder has heard of, so that reading one again costs it an atomic look.
///
/// Thread-safe, and may forget: the recorder itself knows for certain.
struct ToldBlocks: ~Copyable {
    /// The first 64 blocks: with the usual size, all of a file up to 32 MiB.
    private let first = Atomic<UInt64>(0)
    /// Of those behind them the last one.
    private let last = Atomic<Int>(0)

    func contains(_ block: Int) -> Bool {
        guard block >= 64 else { return first.load(ordering: .relaxed) & 1 << UInt64(block) != 0 }
        return last.load(ordering: .relaxed) == block
    }

    func insert(_ block: Int) {
        if block < 64 {
            first.bitwiseOr(1 << UInt64(block), ordering: .relaxed)
        } else {
            last.store(block, ordering: .relaxed)
        }
    }
}
