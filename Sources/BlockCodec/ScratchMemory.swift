/// Memory that grows to the largest size asked for and is then used again. Its contents are undefined.
struct ScratchMemory: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    deinit { memory.deallocate() }

    /// The first `count` bytes, aligned to a cache line, valid until the next call. What was there is not kept.
    mutating func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if count > memory.count {
            memory.deallocate()
            // Page-sized steps: blocks of slightly different lengths do not each grow it.
            memory = .allocate(byteCount: (count + 0xffff) & ~0xffff, alignment: 64)
        }
        return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    }
}
