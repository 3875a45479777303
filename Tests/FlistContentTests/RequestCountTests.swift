import BlockCodec
import FlistImage
import Foundation
import Testing

@testable import FlistContent

@Suite("Blocks asked of a store", .timeLimit(.minutes(5)))
struct RequestCountTests {
    let folder: TemporaryFolder

    /// Blocks of 4 KiB, each more than the readahead's slack of 2 MiB from the one before.
    private static let touched = [900, 100, 1000, 200, 1100, 300]

    init() throws { folder = try TemporaryFolder() }

    @Test("a sequential read asks for each block once, nearly all of them ahead")
    func sequential() throws {
        let flist = try TestFlist(100 * 4096)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        for start in stride(from: 0, to: 100 * 4096, by: 4096) { _ = try fixture.read(start..<start + 4096) }
        fixture.settle()
        #expect(store.asked.count == 100)
        #expect(Set(store.asked) == Set(flist.stored.keys))
        #expect(fixture.reader.statistics.demandBlocks < 10)
    }

    @Test("random reads ask for the blocks that they touch")
    func random() throws {
        let flist = try TestFlist(1200 * 4096, holes: Set(0..<1200).subtracting(Self.touched.flatMap { $0..<$0 + 4 }))
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        // In 4 KiB blocks, each more than the slack of 2 MiB from the one before.
        let blocks = Self.touched
        for block in blocks { _ = try fixture.read(block * 4096 + 1000..<block * 4096 + 3000) }
        fixture.settle()
        #expect(store.asked == (try blocks.map { try flist.id($0) }))
        #expect(fixture.reader.statistics.readaheadBlocks == 0)
    }

    @Test("the first read in the middle of a file asks for one block")
    func middle() throws {
        let flist = try TestFlist(100 * 4096)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        _ = try fixture.read(50 * 4096..<51 * 4096)
        fixture.settle()
        #expect(store.asked == [try flist.id(50)])
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
            let ahead = fixture.reader.noteRead(0..<1000, of: inode, size: 1000)
            file.read(0..<1000) { read.end($0) }
            fixture.reader.bring(ahead)
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

    @Test("a second walk opens the files ahead of the reader, and asks for nothing")
    func localWalk() throws {
        let flist = try TestFlist(sizes: [Int](repeating: 1000, count: 80))
        let store = GateStore(flist)
        let files = try #require(flist.index.children(of: TreeIndex.root))
        do {
            let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
            for number in 0..<80 { _ = try fixture.read(0..<1000, of: number) }
            fixture.settle()
        }
        #expect(store.asked.count == 80)
        let before = openContents
        var opened: [Int] = []
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        var buffer = [UInt8](repeating: 0, count: 1000)
        for inode in files {
            let file = try #require(fixture.reader.file(inode))
            let ahead = fixture.reader.noteRead(0..<1000, of: inode, size: 1000)
            #expect(buffer.withUnsafeMutableBytes { file.readNow(0..<1000, into: $0) } == 1000)
            fixture.reader.bring(ahead)
            opened.append(openContents - before)
        }
        // From the fourth on 32 of those that follow, then eight more after each eight, as far as there are some.
        #expect(opened == (0..<80).map { $0 < 3 ? $0 + 1 : min(80, 36 + ($0 - 3) / 8 * 8) })
        #expect(store.asked.count == 80)
    }

    /// Files of the cache that this process has open.
    private var openContents: Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.count { name in
            let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")) ?? ""
            return target.hasPrefix("\(folder.path)/cache/fresh/") || target.hasPrefix("\(folder.path)/cache/objects/")
        }
    }
}
