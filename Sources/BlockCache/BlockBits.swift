internal import Synchronization

/// Two bits for each block of a content: present, and suspect. All operations are atomic; none blocks.
struct BlockBits: ~Copyable, @unchecked Sendable {
    // Present in the first `words`, suspect in the second. Allocated and freed once; all access is atomic.
    private let memory: UnsafeMutablePointer<Atomic<UInt64>>
    private let words: Int

    init(count: Int) {
        words = (count + 63) / 64
        memory = .allocate(capacity: words * 2)
        for word in 0..<words * 2 { (memory + word).initialize(to: Atomic(0)) }
    }

    deinit {
        memory.deinitialize(count: words * 2)
        memory.deallocate()
    }

    func isPresent(_ block: Int) -> Bool {
        guard block >= 0, block >> 6 < words else { return false }
        return memory[block >> 6].load(ordering: .acquiring) & bit(block) != 0
    }

    func isSuspect(_ block: Int) -> Bool {
        guard block >= 0, block >> 6 < words else { return false }
        return memory[words + block >> 6].load(ordering: .acquiring) & bit(block) != 0
    }

    /// Whether every block of the range is present; false if the range is not within the bitmap.
    func arePresent(_ blocks: Range<Int>) -> Bool {
        guard let last = blocks.last, blocks.lowerBound >= 0, last >> 6 < words else { return false }
        let (first, end) = (blocks.lowerBound >> 6, last >> 6)
        for word in first...end {
            var mask = UInt64.max
            if word == first { mask &= UInt64.max << UInt64(blocks.lowerBound & 63) }
            if word == end { mask &= UInt64.max >> UInt64(63 - last & 63) }
            if memory[word].load(ordering: .acquiring) & mask != mask { return false }
        }
        return true
    }

    /// Marks a block present; answers whether it was not before.
    func markPresent(_ block: Int) -> Bool {
        guard block >= 0, block >> 6 < words else { return false }
        let mask = bit(block)
        memory[words + block >> 6].bitwiseAnd(~mask, ordering: .releasing)
        return memory[block >> 6].bitwiseOr(mask, ordering: .releasing).oldValue & mask == 0
    }

    func markSuspect(_ block: Int) {
        guard block >= 0, block >> 6 < words else { return }
        memory[words + block >> 6].bitwiseOr(bit(block), ordering: .releasing)
    }

    func clearSuspect(_ block: Int) {
        guard block >= 0, block >> 6 < words else { return }
        memory[words + block >> 6].bitwiseAnd(~bit(block), ordering: .releasing)
    }

    private func bit(_ block: Int) -> UInt64 { 1 << UInt64(block & 63) }
}
