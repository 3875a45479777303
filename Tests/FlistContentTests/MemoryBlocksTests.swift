import BlockCodec
import Support
import Testing

@testable import FlistContent

@Suite("Blocks in memory")
struct MemoryBlocksTests {
    private func buffer(_ size: Int) -> BlockBuffer {
        let buffer = BlockBufferPool(idleLimit: 0).buffer(capacity: size)
        buffer.count = size
        return buffer
    }

    private func key(_ block: Int) -> MemoryBlocks.Key { .init(content: .zero, block: block) }

    private func held(_ memory: MemoryBlocks, _ blocks: Range<Int>) -> [Int] {
        blocks.filter { memory.block(key($0)) != nil }
    }

    @Test("drops what was used least lately, an eighth more than needed")
    func order() {
        let memory = MemoryBlocks(limit: 8 * 4096)
        for block in 0..<8 { memory.insert(buffer(4096), for: key(block)) }
        #expect(memory.block(key(0)) != nil)
        memory.insert(buffer(4096), for: key(8))
        #expect(memory.bytes == 7 * 4096)
        #expect(held(memory, 0..<9) == [0, 3, 4, 5, 6, 7, 8])
    }

    @Test("counts the memory that is lent, not what is in it")
    func lent() {
        let memory = MemoryBlocks(limit: 1 << 20)
        memory.insert(buffer(4097), for: key(0))
        #expect(memory.bytes == 8192)
        memory.insert(buffer(100), for: key(0))
        #expect(memory.bytes == 512)
    }

    @Test("keeps the last block even when it is larger than the limit")
    func large() {
        let memory = MemoryBlocks(limit: 8192)
        memory.insert(buffer(4096), for: key(0))
        memory.insert(buffer(1 << 20), for: key(1))
        #expect(held(memory, 0..<2) == [1])
        memory.insert(buffer(4096), for: key(2))
        #expect(held(memory, 0..<3) == [2])
    }
}
