import Testing

@testable import FlistContent

@Suite("Readahead window")
struct ReadaheadWindowTests {
    private static let block: UInt64 = 524_288

    /// The ranges of blocks asked for by a series of reads.
    private func ranges(_ reads: [Range<UInt64>], blocks: Int = 1000, limit: Int = 128) -> [Range<Int>] {
        var window = ReadaheadWindow()
        return reads.map { window.read($0, blockSize: Int(Self.block), blockCount: blocks, limit: limit) }
    }

    private func blocks(_ numbers: Range<UInt64>) -> [Range<UInt64>] {
        numbers.map { $0 * Self.block..<($0 + 1) * Self.block }
    }

    @Test("opens at the start of a file and quadruples with every block")
    func sequential() {
        #expect(ranges(blocks(0..<5)) == [1..<5, 5..<18, 18..<67, 67..<132, 132..<133])
    }

    @Test("stays within its limit")
    func limit() {
        #expect(ranges(blocks(0..<4), limit: 8) == [1..<5, 5..<10, 10..<11, 11..<12])
    }

    @Test("asks for nothing twice when reads are small")
    func small() {
        let reads = (0..<6).map { UInt64($0) * 131_072..<UInt64($0 + 1) * 131_072 }
        #expect(ranges(reads) == [1..<5, 0..<0, 0..<0, 0..<0, 5..<18, 0..<0])
    }

    @Test("takes reads that arrive out of order as one run")
    func outOfOrder() {
        let reads = blocks(0..<1) + blocks(2..<3) + blocks(1..<2) + blocks(3..<4)
        #expect(ranges(reads) == [1..<5, 5..<19, 0..<0, 19..<68])
    }

    @Test("leaves a reader that jumps alone")
    func jumps() {
        #expect(ranges(blocks(500..<501) + blocks(100..<101) + blocks(900..<901)) == [0..<0, 0..<0, 0..<0])
    }

    @Test("opens again where a jump turns into a run")
    func runAfterJump() {
        #expect(ranges(blocks(500..<503)) == [0..<0, 502..<506, 506..<519])
    }

    @Test("ends with the file")
    func end() {
        #expect(ranges(blocks(0..<3), blocks: 3) == [1..<3, 0..<0, 0..<0])
        #expect(ranges(blocks(0..<1), blocks: 1) == [0..<0])
    }
}
