internal import Support

/// What a worker has read and not yet encoded: side by side, blocks are hashed in a fraction of the time.
struct PackBatch: ~Copyable {
    /// How much is taken together.
    struct Size {
        private var blocks = 0
        private var bytes = 0

        /// Counts a block; false when the batch is too large with it.
        mutating func add(_ length: Int) -> Bool {
            blocks += 1
            bytes += length
            return blocks <= 64 && bytes <= Self.mostBytes
        }

        static let mostBytes = 4 << 20
    }

    /// One block's plain bytes, valid until the batch is emptied.
    struct Block {
        let file: PackFile
        let index: Int
        let bytes: UnsafeRawBufferPointer
    }

    /// Some blocks of a file that were read to their end, or until something failed.
    struct Part {
        let file: OpenFile
        let failure: Errno?
    }

    private let memory: UnsafeMutableRawBufferPointer
    private var size = Size()
    private var used = 0
    private(set) var blocks: [Block] = []
    private(set) var parts: [Part] = []

    /// - Parameter blockSize: the most bytes of one block.
    init(blockSize: Int) {
        memory = .allocate(byteCount: max(blockSize, Size.mostBytes), alignment: 4096)
    }

    deinit { memory.deallocate() }

    /// Memory for the next block; nil when the batch must be emptied first.
    mutating func room(_ length: Int) -> UnsafeMutableRawBufferPointer? {
        guard size.add(length) || blocks.isEmpty, used + length <= memory.count else { return nil }
        return UnsafeMutableRawBufferPointer(rebasing: memory[used..<(used + length)])
    }

    /// Adds a block whose bytes have been read into the room that was given last.
    mutating func add(_ file: PackFile, _ index: Int, _ bytes: UnsafeMutableRawBufferPointer) {
        blocks.append(Block(file: file, index: index, bytes: UnsafeRawBufferPointer(bytes)))
        // Pages are copied best to where they begin; small files lie close to each other.
        used += (bytes.count + 63) & ~63
    }

    mutating func add(_ part: Part) { parts.append(part) }

    /// Forgets all blocks, and hands out the parts.
    mutating func empty() -> [Part] {
        defer { (size, used, blocks, parts) = (Size(), 0, [], []) }
        return parts
    }
}
