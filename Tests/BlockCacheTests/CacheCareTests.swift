import CLinux
import Glibc
import Support
import Testing

@testable import BlockCache

@Suite("Cache care")
struct CacheCareTests {
    let folder = TemporaryFolder()

    @Test("finds and mends any flipped bit in a complete content", arguments: [0, 1, 4095, 4096, 9999], [true, false])
    func flippedBit(position: Int, isOpen: Bool) throws {
        let content = TestContent(seed: 1, size: 10_000, digestLength: .bytes16)
        let other = TestContent(seed: 2, size: 10_000)
        let cache = try folder.open()
        #expect(cache.object(content).storeAll(content) && cache.object(other).storeAll(other))
        cache.core.durability.flush()
        let object = isOpen ? cache.object(content) : nil
        try flip(folder.folder.object(content.name), at: position, bit: 128)
        let found = cache.check(repair: false)
        #expect(found.damaged == [content.id] && found.objects == 2)
        #expect(exists(folder.folder.object(content.name)))
        #expect(cache.check(repair: true).damaged == [content.id])
        #expect(!exists(folder.folder.object(content.name)))
        if let object { #expect(!object.isComplete && !object.holds(0..<1)) }
        let again = object ?? cache.object(content)
        #expect(again.state(ofBlock: 0) == .absent)
        #expect(again.storeAll(content))
        #expect(try again.bytes(0..<10_000) == content.bytes)
        #expect(cache.check().damaged == [])
    }

    @Test("finds a flipped bit in a block of a partial content, and verifies suspect ones", arguments: [true, false])
    func partial(isOpen: Bool) throws {
        let content = TestContent(seed: 3, size: 20_000)
        do {
            let object = try folder.open(boot: 1).object(content)
            for block in 0..<3 { #expect(object.store(content, block)) }
        }
        folder.closeAll()
        try flip(folder.folder.partial(content.name), at: 5000)
        let cache = try folder.open(boot: 2)
        let object = isOpen ? cache.object(content) : nil
        let check = cache.check()
        #expect(check.damaged == [content.id] && check.damagedBlocks == 1)
        let again = object ?? cache.object(content)
        let good: BlockState = isOpen ? .present : .suspect
        #expect((0..<5).map { again.state(ofBlock: $0) } == [good, .absent, good, .absent, .absent])
    }

    @Test("what is found bad is not served while the rest is looked at, nor what comes after it unseen")
    func badMeanwhile() throws {
        let content = TestContent(seed: 5, size: 20_000)
        let cache = try folder.open()
        let object = cache.object(content)
        for block in 0..<4 { #expect(object.store(content, block)) }
        for block in [1, 3] { try flip(folder.folder.partial(content.name), at: block * 4096 + 7) }
        let stored = try #require(cache.core.storedObjects().first)
        var seen: [[BlockState]] = []
        let reading = ObjectReading { _ in
            seen.append((0..<4).map { object.state(ofBlock: $0) })
            return true
        }
        #expect(cache.core.check(stored, repair: true, reading).damagedBlocks == 2)
        let all = Array(repeating: BlockState.present, count: 4)
        let found: [BlockState] = [.present, .absent, .suspect, .suspect]
        #expect(seen == [all, all, found, [.present, .absent, .present, .suspect]])
        #expect((0..<4).map { object.state(ofBlock: $0) } == [.present, .absent, .present, .absent])
        #expect(throws: Errno.again) { try object.bytes(4096..<4097) }
    }

    @Test("a content of which another process found a block bad is not taken for complete")
    func badElsewhere() throws {
        let content = TestContent(seed: 6, size: 20_000, holes: [2])
        let object = try folder.open().object(content)
        for block in [0, 1, 3] { #expect(object.store(content, block)) }
        try flip(folder.folder.partial(content.name), at: 5000)
        #expect(try folder.open().check().damagedBlocks == 1)
        #expect(object.store(content, 4))
        #expect(!object.isComplete && exists(folder.folder.partial(content.name)))
        #expect((0..<5).map { object.state(ofBlock: $0) } == [.present, .absent, .present, .present, .present])
        #expect(object.store(content, 1) && object.isComplete)
        #expect(try object.bytes(0..<20_000) == content.bytes)
    }

    @Test("profiles go when they were not used for long, and not with the rest")
    func profiles() throws {
        let cache = try folder.open()
        #expect(mkdir(cache.profileFolder, 0o700) == 0)
        for name in ["old", "new"] {
            _ = try FileDescriptor("\(cache.profileFolder)/\(name)", O_CREAT | O_WRONLY, mode: 0o600)
        }
        var times = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, "\(cache.profileFolder)/old", &times, 0) == 0)
        cache.clear()
        #expect(exists("\(cache.profileFolder)/old"))
        cache.collect()
        #expect(!exists("\(cache.profileFolder)/old") && exists("\(cache.profileFolder)/new"))
    }

    @Test("finds a flipped bit among the keys in a map")
    func mapKeys() throws {
        let content = TestContent(seed: 4, size: 20_000)
        let cache = try folder.open()
        let object = cache.object(content)
        #expect(object.store(content, 0))
        try flip(folder.folder.map(content.name), at: 64 + 5 + 40)
        #expect(cache.check(repair: false).damaged == [content.id])
        #expect(object.state(ofBlock: 0) == .present)
        #expect(cache.check().damaged == [content.id])
        #expect(object.state(ofBlock: 0) == .suspect)
        #expect(object.verify(block: 0))
        #expect(cache.check().damaged == [])
    }

    @Test("a content that was only begun is not damaged, whatever its map holds", arguments: [-1, 0, 64, 70])
    func begun(length: Int) throws {
        let content = TestContent(seed: 4, size: 20_000)
        do { #expect(try folder.open().object(content).store(content, 0)) }
        folder.closeAll()
        // As a process leaves it that is killed on its way to the map's header.
        let (data, map) = (folder.folder.partial(content.name), folder.folder.map(content.name))
        #expect(truncate(data, 0) == 0 && truncate(data, 20_000) == 0)
        #expect(length < 0 ? unlink(map) == 0 : truncate(map, length) == 0)
        let cache = try folder.open()
        for repair in [false, true] {
            let check = cache.check(repair: repair)
            #expect(check.objects == 1 && check.damaged == [] && check.damagedBlocks == 0)
        }
        let object = cache.object(content)
        #expect(object.state(ofBlock: 0) == .absent && object.storeAll(content))
    }

    @Test("can be ended")
    func cancel() throws {
        let cache = try folder.open()
        for seed in 0..<5 {
            let content = TestContent(seed: UInt64(seed), size: 100)
            #expect(cache.object(content).storeAll(content))
        }
        var seen: [UInt64] = []
        let check = cache.check { done, all in
            seen.append(done)
            return done * 2 < all
        }
        #expect(seen == [4096, 8192, 12288])
        #expect(check.isCancelled && check.objects == 3 && check.bytes == 300)
    }

    @Test("removes what was not used for the maximum age, but nothing that is open")
    func collect() throws {
        let cache = try folder.open(age: .seconds(1000))
        let contents = (0..<4).map { TestContent(seed: UInt64($0), size: 5000) }
        for content in contents { #expect(cache.object(content).store(content, 0)) }
        #expect(cache.object(contents[0]).store(contents[0], 1))
        let open = cache.object(contents[3])
        age(folder.folder.fresh(contents[0].name), 1100)
        age(folder.folder.partial(contents[1].name), 1100)
        age(folder.folder.partial(contents[2].name), 900)
        age(folder.folder.partial(contents[3].name), 1100)
        let index = "\(folder.folder.index)/tree"
        for name in [index, index + "2"] { _ = try FileDescriptor(name, O_WRONLY | O_CREAT, mode: 0o600) }
        let old = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
        utimensat(AT_FDCWD, index, old, 0)
        let collection = cache.collect()
        #expect(collection.objects == 2 && collection.indexFiles == 1 && collection.bytes == 4 * 4096)
        #expect(exists(folder.folder.partial(contents[2].name)) && open.state(ofBlock: 0) == .present)
        #expect(!exists(index) && exists(index + "2"))
    }

    @Test("removes what dead processes left, maps without data, and files that are not its own")
    func leftovers() throws {
        do {
            let cache = try folder.open()
            let content = TestContent(seed: 1, size: 100)
            #expect(cache.object(content).storeAll(content))
            _ = try FileDescriptor(try #require(cache.core.workspace.temporaryPath()), O_WRONLY | O_CREAT, mode: 0o600)
            cache.abandon()
        }
        folder.closeAll()
        let part = TestContent(seed: 2, size: 9000)
        let cache = try folder.open()
        #expect(cache.object(part).store(part, 0))
        unlink(folder.folder.partial(part.name))
        _ = try FileDescriptor("\(folder.folder.fresh)/stray", O_WRONLY | O_CREAT, mode: 0o600)
        #expect(cache.collect().leftovers == 3)
        #expect(!exists(folder.folder.map(part.name)) && entries(of: folder.folder.fresh).count == 1)
        #expect(entries(of: folder.folder.temporary).count == 1)
        #expect(cache.collect() == CacheCollection())
    }

    @Test("clears everything but what is open, and counts rightly")
    func clear() throws {
        let cache = try folder.open(quota: 1 << 20)
        let contents = (0..<5).map { TestContent(seed: UInt64($0), size: 5000) }
        for content in contents[..<4] { #expect(cache.object(content).storeAll(content)) }
        cache.core.durability.flush()
        #expect(cache.object(contents[4]).store(contents[4], 1))
        let open = cache.object(contents[0])
        _ = try FileDescriptor("\(folder.folder.index)/tree", O_WRONLY | O_CREAT, mode: 0o600)
        var statistics = cache.statistics()
        #expect(statistics.objects == 4 && statistics.partial == 1 && statistics.fresh == 0 && statistics.suspect == 0)
        #expect(statistics.bytes == 4 * 8192 + 8192 && statistics.indexFiles == 1 && statistics.open == 1)
        #expect(statistics.quota == 1 << 20)
        #expect(cache.clear().objects == 4)
        statistics = cache.statistics()
        #expect(statistics.objects == 1 && statistics.partial == 0 && statistics.indexFiles == 0)
        #expect(try open.bytes(0..<5000) == contents[0].bytes)
        cache.close()
        #expect(cache.core.ledger.used == 8192)
        #expect(!open.storeAll(contents[1]))
    }
}
