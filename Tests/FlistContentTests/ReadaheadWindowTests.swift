import Testing

@testable import FlistContent

@Suite("Readahead window")
struct ReadaheadWindowTests {
    /// The usual size, and reads as the kernel makes them.
    private static let block = 512 << 10
    private static let piece: UInt64 = 128 << 10

    private struct Reader {
        var window = ReadaheadWindow()
        var blockCount = 100
        var limit = 16
        var blockSize = ReadaheadWindowTests.block

        mutating func read(_ start: UInt64, _ count: UInt64 = piece, isLocal: Bool = false) -> Range<Int> {
            window.read(
                start..<start + count, isLocal: isLocal, blockSize: blockSize, blockCount: blockCount, limit: limit)
        }

        /// Reads at the start of a block.
        mutating func block(_ number: Int, isLocal: Bool = false) -> Range<Int> {
            read(UInt64(number) * UInt64(blockSize), isLocal: isLocal)
        }
    }

    @Test("runs ahead from the start of a file, four times as far with each block")
    func sequential() {
        var reader = Reader()
        reader.limit = 64
        #expect(reader.read(0) == 1..<5)
        for piece in 1..<4 { #expect(reader.read(UInt64(piece) * Self.piece).isEmpty) }
        #expect(reader.block(1) == 5..<18)
        #expect(reader.block(2) == 18..<67)
        #expect(reader.block(3) == 67..<68)
        #expect(reader.block(4) == 68..<69)
    }

    @Test("a block is asked for once in a run, up to the limit and the end of the file")
    func once() {
        var reader = Reader(blockCount: 30)
        var asked: [Int] = []
        for block in 0..<30 {
            for piece in 0..<UInt64(4) {
                let wanted = reader.read(UInt64(block * Self.block) + piece * Self.piece)
                #expect(wanted.isEmpty || wanted.lowerBound > block && wanted.upperBound <= block + 17)
                asked += wanted
            }
        }
        #expect(asked == Array(1..<30))
    }

    @Test("reads a little out of order are one run")
    func outOfOrder() {
        var reader = Reader()
        #expect(reader.read(0, 1 << 20) == 2..<6)
        #expect(reader.read(2 << 20, 1 << 20) == 6..<22)
        #expect(reader.read(1 << 20, 1 << 20).isEmpty)
        #expect(reader.read(3 << 20, 1 << 20) == 22..<24)
    }

    @Test("a run may begin with its second piece")
    func secondFirst() {
        var reader = Reader()
        #expect(reader.read(1 << 20, 1 << 20).isEmpty)
        #expect(reader.read(0, 1 << 20).isEmpty)
        #expect(reader.read(2 << 20, 1 << 20) == 6..<10)
    }

    @Test("random and backward readers get none")
    func jumps() {
        var reader = Reader()
        for block in [50, 10, 90, 30, 70, 5, 60] { #expect(reader.block(block).isEmpty) }
        for block in stride(from: 99, to: 0, by: -1) { #expect(reader.block(block).isEmpty) }
    }

    @Test("after a jump two blocks in order begin a run")
    func runAfterJump() {
        var reader = Reader()
        #expect(reader.read(0) == 1..<5)
        #expect(reader.block(40).isEmpty)
        #expect(reader.block(41) == 42..<46)
        #expect(reader.block(42) == 46..<59)
        #expect(reader.block(80).isEmpty)
    }

    @Test("reading the same again asks for nothing")
    func again() {
        var reader = Reader()
        #expect(reader.read(0) == 1..<5)
        for _ in 0..<5 { #expect(reader.read(0).isEmpty) }
    }

    @Test("who reads what is there already does not end another's run")
    func trailing() {
        var reader = Reader()
        #expect(reader.block(0) == 1..<5)
        for block in 1..<20 { _ = reader.block(block, isLocal: true) }
        #expect(reader.block(0, isLocal: true).isEmpty)
        #expect(reader.block(1, isLocal: true).isEmpty)
        #expect(reader.block(20, isLocal: true) == 36..<37)
    }

    @Test("the last block, and files of one block, need none")
    func ends() {
        var reader = Reader(blockCount: 3)
        #expect(reader.read(0) == 1..<3)
        #expect(reader.block(1).isEmpty)
        #expect(reader.block(2).isEmpty)
        var small = Reader(blockCount: 1)
        #expect(small.read(0, 100).isEmpty)
        var empty = Reader(blockCount: 0)
        #expect(empty.read(0, 0).isEmpty)
    }

    @Test(
        "two megabytes at first, at least a block, at most the limit",
        arguments: [
            (4096, 512, 1..<513), (4096, 100, 1..<101), (512 << 10, 16, 1..<5), (8 << 20, 8, 1..<2),
            (64 << 20, 1, 1..<2),
            (64 << 20, 0, 0..<0),
        ])
    func blockSizes(size: Int, limit: Int, expected: Range<Int>) {
        var reader = Reader(blockCount: 10_000, limit: limit, blockSize: size)
        #expect(reader.read(0, 4096) == expected)
    }

    @Test("offsets near 2^63 do not overflow")
    func huge() {
        let end = UInt64(Int64.max)
        var reader = Reader(blockCount: Int(end / (64 << 20)) + 1, limit: 1, blockSize: 64 << 20)
        #expect(reader.read(end - 4096, 4096).isEmpty)
        #expect(reader.read(end - 8192, 4096).isEmpty)
        #expect(reader.read(0, 4096).isEmpty)
    }
}
