import FlistImage
import Testing

@testable import FlistContent

@Suite("Readahead in directories")
struct DirectoryWindowTests {
    private func ranges(
        _ reads: [InodeNumber], in siblings: Range<InodeNumber> = 100..<1000, local: Bool = false
    ) -> [Range<InodeNumber>] {
        var window = DirectoryWindow()
        return reads.map { window.read($0, siblings: siblings, isLocal: local) }
    }

    @Test("begins with the fourth file in a row, and goes on by one")
    func walk() {
        #expect(ranges([100, 101, 102, 103, 104]) == [0..<0, 0..<0, 0..<0, 104..<136, 136..<137])
    }

    @Test("passes over entries that are no files")
    func gaps() { #expect(ranges([100, 104, 109, 117]).last == 118..<150) }

    @Test("leaves readers alone who jump, go back, or find all on the disk")
    func others() {
        let none = [Range<InodeNumber>](repeating: 0..<0, count: 5)
        #expect(ranges([100, 300, 200, 500, 400]) == none)
        #expect(ranges([109, 108, 107, 106, 105]) == none)
        #expect(ranges([100, 101, 102, 103, 104], local: true) == none)
    }

    @Test("ends with the directory, and goes on at once in the next")
    func next() {
        var window = DirectoryWindow()
        for inode in 100..<104 as Range<InodeNumber> { _ = window.read(inode, siblings: 100..<106, isLocal: false) }
        let end = window.read(104, siblings: 100..<106, isLocal: false)
        #expect(end == 0..<0)
        let next = window.read(300, siblings: 299..<310, isLocal: false)
        #expect(next == 301..<310)
    }
}
