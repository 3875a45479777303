import BlockCodec
import FlistImage
import Testing

@testable import FlistContent

@Suite("Blocks asked of a store", .timeLimit(.minutes(1)))
struct RequestCountTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("a sequential read asks for each block once, nearly all of them ahead")
    func sequential() throws {
        let flist = try TestFlist(700 * 4096)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        for start in stride(from: 0, to: 700 * 4096, by: 4096) { _ = try fixture.read(start..<start + 4096) }
        fixture.settle()
        #expect(store.asked.count == 700)
        #expect(Set(store.asked) == Set(flist.stored.keys))
        #expect(fixture.reader.statistics.demandBlocks < 10)
    }

    @Test("random reads ask for the blocks that they touch")
    func random() throws {
        let flist = try TestFlist(12 << 20)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        // In 4 KiB blocks, each more than the slack of 2 MiB from the one before.
        let blocks = [2300, 700, 1700, 100, 2900, 1000, 2000, 400]
        for block in blocks { _ = try fixture.read(block * 4096 + 1000..<block * 4096 + 3000) }
        fixture.settle()
        #expect(store.asked == (try blocks.map { try flist.id($0) }))
        #expect(fixture.reader.statistics.readaheadBlocks == 0)
    }

    @Test("the first read in the middle of a file asks for one block")
    func middle() throws {
        let flist = try TestFlist(1000 * 4096)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        _ = try fixture.read(500 * 4096..<501 * 4096)
        fixture.settle()
        #expect(store.asked == [try flist.id(500)])
    }

    @Test("a walk over small files asks for each once, a few of them on demand")
    func walk() throws {
        let flist = try TestFlist(sizes: [Int](repeating: 1000, count: 80))
        let store = GateStore(flist, isOpen: false)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        let files = try #require(flist.index.children(of: TreeIndex.root))
        for (number, inode) in files.enumerated() {
            let file = try #require(fixture.reader.file(inode))
            let read = PendingRead()
            // The first four wait for the store; what the fourth asks for is there when the fifth comes.
            let isLocal = file.isLocal(0)
            file.read(0..<1000) { read.end($0) }
            fixture.reader.noteStart(of: inode, isLocal: isLocal)
            if number == 3 { #expect(store.asked.count >= 4 + 32) }
            store.open()
            _ = try read.bytes()
            fixture.settle()
            if number < 3 { #expect(store.asked.count == number + 1) }
        }
        #expect(store.asked.count == 80)
        #expect(fixture.reader.statistics.demandBlocks == 4)
        #expect(fixture.reader.statistics.readaheadBlocks == 76)
    }
}
