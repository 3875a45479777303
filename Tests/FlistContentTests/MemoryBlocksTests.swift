import BlockCodec
import Support
import Testing

@testable import FlistContent

@Suite("Blocks in memory")
struct MemoryBlocksTests {
    private let content = BLAKE2b.hash([1], .bytes32)

    private func buffer(_ count: Int) -> BlockBuffer {
        let buffer = BlockBufferPool.shared.buffer(capacity: count)
        buffer.count = count
        return buffer
    }

    private func key(_ block: Int) -> MemoryBlocks.Key { MemoryBlocks.Key(content: content, block: block) }

    @Test("are kept up to the limit, those used last the longest")
    func limit() {
        let blocks = MemoryBlocks(limit: 3000)
        for number in 0..<3 { blocks.insert(buffer(1000), for: key(number)) }
        #expect(blocks.block(key(0)) != nil)
        blocks.insert(buffer(1000), for: key(3))
        #expect((0..<4).map { blocks.block(key($0)) != nil } == [true, false, true, true])
    }

    @Test("count once when they are put in again")
    func again() {
        let blocks = MemoryBlocks(limit: 2000)
        for _ in 0..<5 { blocks.insert(buffer(1000), for: key(0)) }
        blocks.insert(buffer(1000), for: key(1))
        #expect(blocks.block(key(0)) != nil && blocks.block(key(1)) != nil)
    }
}
