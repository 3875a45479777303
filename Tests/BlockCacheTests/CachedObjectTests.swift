import Glibc
import Support
import Testing

@testable import BlockCache

@Suite("Cached object")
struct CachedObjectTests {
    let folder = TemporaryFolder()

    @Test("of one block is absent, then stored, read, shared, and found again")
    func oneBlock() throws {
        let content = TestContent(seed: 1, size: 3000)
        do {
            let cache = try folder.open()
            let object = cache.object(content)
            #expect(!object.isComplete && !object.holds(0..<1))
            #expect(object.state(ofBlock: 0) == .absent)
            #expect(throws: Errno.again) { try object.bytes(0..<10) }
            #expect(!object.hasFile)
            #expect(object.store(content, 0))
            #expect(object.isComplete && object.holds(0..<3000) && object.state(ofBlock: 0) == .present)
            #expect(try object.bytes(0..<3000) == content.bytes)
            #expect(try object.bytes(2990..<4000) == Array(content.bytes[2990...]))
            #expect(try object.bytes(3000..<3100) == [])
            #expect(object === cache.object(content))
            #expect(object.hasFile)
            #expect(exists(folder.folder.fresh(content.name)))
            #expect(cache.core.durability.flush() == 1)
            #expect(!exists(folder.folder.fresh(content.name)))
        }
        folder.closeAll()
        #expect(try contents(folder.folder.object(content.name)) == content.bytes)
        let object = try folder.open().object(content)
        #expect(try object.bytes(0..<3000) == content.bytes)
    }

    @Test(
        "of many blocks is partial until the last is there", arguments: [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
    func manyBlocks(order: [Int]) throws {
        let content = TestContent(seed: 2, size: 4096 * 3 + 100)
        let cache = try folder.open()
        let object = cache.object(content)
        for (step, block) in order.enumerated() {
            #expect(!object.isComplete)
            #expect(object.state(ofBlock: block) == .absent)
            #expect(object.store(content, block))
            #expect(object.state(ofBlock: block) == .present)
            let begin = block * 4096
            #expect(object.holds(UInt64(begin)..<UInt64(begin) + 1))
            #expect(try object.bytes(begin..<begin + 50) == Array(content.bytes[begin..<begin + 50]))
            #expect(exists(folder.folder.partial(content.name)) == (step < 3))
            #expect(exists(folder.folder.map(content.name)) == (step < 3))
        }
        #expect(object.isComplete)
        #expect(try contents(folder.folder.fresh(content.name)) == content.bytes)
        #expect(try object.bytes(0..<content.bytes.count) == content.bytes)
    }

    @Test("holds a range only with all its blocks, across words of the bitmap")
    func ranges() throws {
        let content = TestContent(seed: 3, size: 64 * 200, blockSize: 64)
        let object = try folder.open().object(content)
        for block in 0..<200 where block != 63 && block != 130 { #expect(object.store(content, block)) }
        #expect(object.holds(0..<63 * 64))
        #expect(!object.holds(0..<63 * 64 + 1))
        #expect(!object.holds(63 * 64..<64 * 64))
        #expect(object.holds(64 * 64..<130 * 64))
        #expect(!object.holds(64 * 64..<132 * 64))
        #expect(object.holds(131 * 64..<UInt64.max))
        #expect(!object.holds(0..<UInt64.max))
        #expect(object.holds(5..<5))
    }

    @Test("reads holes as zeros before anything is stored and after, and never asks for them")
    func holes() throws {
        let content = TestContent(seed: 4, size: 4096 * 5, holes: [0, 2, 4])
        let cache = try folder.open()
        var object: CachedObject? = cache.object(content)
        #expect(object?.state(ofBlock: 2) == .present)
        #expect(try object?.bytes(8192..<12288) == Array(repeating: 0, count: 4096))
        #expect(object?.store(content, 1) == true)
        #expect(try object?.bytes(0..<12288) == Array(content.bytes[..<12288]))
        #expect(object?.store(content, 3) == true)
        #expect(object?.isComplete == true)
        object = nil
        #expect(try cache.object(content).bytes(0..<20480) == content.bytes)
        #expect(cache.check(repair: false).damaged == [])
    }

    @Test("of holes only, and of no bytes, is complete without a file")
    func nothingToStore() throws {
        let cache = try folder.open()
        let sparse = cache.object(TestContent(seed: 5, size: 9000, holes: [0, 1, 2]))
        #expect(sparse.isComplete && !sparse.hasFile)
        #expect(try sparse.bytes(0..<9000) == Array(repeating: 0, count: 9000))
        let empty = cache.object(TestContent(seed: 5, size: 0))
        #expect(empty.isComplete && empty.holds(0..<10))
        #expect(try empty.bytes(0..<10) == [])
        #expect(cache.statistics().objects == 0)
    }

    @Test("refuses blocks of the wrong number or length")
    func wrongBlocks() throws {
        let content = TestContent(seed: 6, size: 5000)
        let object = try folder.open().object(content)
        for (length, block) in [(4095, 0), (4096, 1), (4096, -1), (4096, 2), (0, 0), (905, 1)] {
            #expect([UInt8](repeating: 1, count: length).withUnsafeBytes { object.store($0, block: block) } == false)
        }
        #expect(object.state(ofBlock: -1) == .absent && object.state(ofBlock: 2) == .absent)
        #expect(!object.verify(block: 0) && !object.verify(block: 7))
        #expect(object.store(content, 0) && object.store(content, 0) && object.store(content, 1))
    }

    @Test("keeps its files from others")
    func permissions() throws {
        let (whole, part) = (TestContent(seed: 7, size: 10), TestContent(seed: 8, size: 5000))
        let cache = try folder.open()
        let (first, second) = (cache.object(whole), cache.object(part))
        #expect(first.store(whole, 0) && second.store(part, 1))
        let paths = folder.folder
        for path in [paths.path, paths.objects, paths.fresh, paths.partial, paths.temporary, paths.index] {
            #expect(mode(path) == 0o700)
        }
        #expect(mode(paths.fresh(whole.name)) == 0o400)
        #expect(mode(paths.partial(part.name)) == 0o600 && mode(paths.map(part.name)) == 0o600)
        #expect(second.store(part, 0))
        #expect(mode(paths.fresh(part.name)) == 0o400)
        cache.core.durability.flush()
        #expect(mode(paths.object(part.name)) == 0o400)
    }

    @Test("starts again when its file turns out to be short", arguments: [3000, 9000])
    func truncated(size: Int) throws {
        let content = TestContent(seed: 9, size: size)
        let cache = try folder.open()
        let object = cache.object(content)
        #expect(object.storeAll(content) && object.isComplete)
        truncate(folder.folder.fresh(content.name), 100)
        #expect(throws: Errno.io) { try object.bytes(0..<size) }
        #expect(!object.isComplete && !object.holds(0..<1))
        #expect(!exists(folder.folder.fresh(content.name)))
        #expect(object.storeAll(content))
        #expect(try object.bytes(0..<size) == content.bytes)
    }

    @Test("removes a complete file that cannot be its own", arguments: ["short", "long", "link", "owner"])
    func impostors(kind: String) throws {
        let content = TestContent(seed: 10, size: 3000)
        do {
            let cache = try folder.open()
            #expect(cache.object(content).store(content, 0))
            cache.core.durability.flush()
        }
        folder.closeAll()
        let path = folder.folder.object(content.name)
        switch kind {
        case "short": truncate(path, 2999)
        case "long": truncate(path, 3001)
        case "owner": chown(path, 12345, 0)
        default:
            rename(path, path + ".moved")
            symlink(path + ".moved", path)
        }
        let object = try folder.open().object(content)
        #expect(!object.isComplete && object.state(ofBlock: 0) == .absent)
        if kind != "link" { #expect(!exists(path)) }
        #expect(object.store(content, 0))
        #expect(try object.bytes(0..<3000) == content.bytes)
    }

    @Test("drops pages and still has its bytes")
    func dropPages() throws {
        let content = TestContent(seed: 11, size: 100_000)
        let object = try folder.open().object(content)
        #expect(object.storeAll(content))
        object.dropPages(0..<50_000)
        object.dropPages(90_000..<UInt64.max)
        object.dropPages(UInt64.max - 1..<UInt64.max)
        #expect(try object.bytes(0..<100_000) == content.bytes)
    }

    @Test("of a content that is not yet on disk it drops pages only when it is, and may read them again")
    func dropFreshPages() throws {
        let cache = try folder.open()
        let whole = [12, 13].map { TestContent(seed: $0, size: 3 * 4096, blockSize: 3 * 4096) }
        let objects = whole.map { cache.object($0) }
        for (object, content) in zip(objects, whole) { #expect(object.storeAll(content)) }
        objects[0].dropPages(0..<UInt64.max)
        #expect(try whole.map { try residentPages(folder.folder.fresh($0.name)) } == [3, 3])
        #expect(cache.core.durability.flush() == 2)
        #expect(try whole.map { try residentPages(folder.folder.object($0.name)) } == [0, 3])
        objects[1].dropPages(0..<0)
        #expect(try residentPages(folder.folder.object(whole[1].name)) == 3)
        objects[1].dropPages(0..<UInt64.max)
        #expect(try whole.map { try residentPages(folder.folder.object($0.name)) } == [0, 0])
        objects[0].willRead(0..<UInt64.max)
        #expect(try objects[0].bytes(0..<3 * 4096) == whole[0].bytes)
    }

    @Test("of a content of several blocks, too")
    func dropFreshPagesOfBlocks() throws {
        let cache = try folder.open()
        let content = TestContent(seed: 14, size: 3 * 4096)
        let object = cache.object(content)
        #expect(object.storeAll(content))
        object.dropPages(0..<UInt64.max)
        #expect(try residentPages(folder.folder.fresh(content.name)) == 3)
        #expect(cache.core.durability.flush() == 1)
        #expect(try residentPages(folder.folder.object(content.name)) == 0)
    }

    /// Pages of a file that are in memory.
    private func residentPages(_ path: String) throws -> Int {
        let file = try FileDescriptor(path, O_RDONLY)
        let count = 3
        let memory = try #require(mmap(nil, count * 4096, PROT_READ, MAP_SHARED, file.number, 0))
        defer { munmap(memory, count * 4096) }
        var pages = [UInt8](repeating: 0, count: count)
        #expect(mincore(memory, count * 4096, &pages) == 0)
        return pages.count { $0 & 1 == 1 }
    }
}
