import Glibc
import Support
import Testing

@testable import BlockCache

@Suite("Cache trust")
struct CacheTrustTests {
    let folder = TemporaryFolder()
    let content = TestContent(seed: 1, size: 4096 * 4, holes: [2])

    @Test("stays through a kill in the same boot")
    func kill() throws {
        do {
            let cache = try folder.open()
            let object = cache.object(content)
            #expect(object.store(content, 1))
            cache.abandon()
        }
        folder.closeAll()
        let object = try folder.open().object(content)
        #expect((0..<4).map { object.state(ofBlock: $0) } == [.absent, .present, .present, .absent])
        #expect(try object.bytes(4096..<8192) == content.block(1))
    }

    @Test("is lost by a partial content with the boot, until its blocks are verified")
    func partialAfterBoot() throws {
        do {
            let object = try folder.open(boot: 1).object(content)
            #expect(object.store(content, 0) && object.store(content, 3))
        }
        folder.closeAll()
        try flip(folder.folder.partial(content.name), at: 3 * 4096 + 7)
        let cache = try folder.open(boot: 2)
        #expect(cache.statistics().suspect == 1)
        let object = cache.object(content)
        #expect((0..<4).map { object.state(ofBlock: $0) } == [.suspect, .absent, .present, .suspect])
        #expect(!object.holds(0..<1) && !object.holds(3 * 4096..<3 * 4096 + 1))
        #expect(throws: Errno.again) { try object.bytes(0..<1) }
        #expect(object.verify(block: 0))
        #expect(!object.verify(block: 3))
        #expect((0..<4).map { object.state(ofBlock: $0) } == [.present, .absent, .present, .absent])
        #expect(object.store(content, 1) && object.store(content, 3))
        #expect(object.isComplete)
        #expect(try object.bytes(0..<4096 * 4) == content.bytes)
    }

    @Test("is lost by a fresh content with the boot; verifying completes it again", arguments: [100, 4096 * 3])
    func freshAfterBoot(size: Int) throws {
        let content = TestContent(seed: 2, size: size)
        do {
            let cache = try folder.open(boot: 1)
            #expect(cache.object(content).storeAll(content))
            #expect(exists(folder.folder.fresh(content.name)))
        }
        folder.closeAll()
        let object = try folder.open(boot: 2).object(content)
        #expect(!exists(folder.folder.fresh(content.name)))
        #expect(!object.isComplete)
        for block in 0..<content.count {
            #expect(object.state(ofBlock: block) == .suspect)
            #expect(object.verify(block: block))
        }
        #expect(object.isComplete)
        #expect(try contents(folder.folder.fresh(content.name)) == content.bytes)
    }

    @Test("a fresh content that lost bytes with the boot is fetched again", arguments: [0, 50, 99])
    func shortAfterBoot(left: Int) throws {
        let content = TestContent(seed: 3, size: 100)
        do {
            let cache = try folder.open(boot: 1)
            #expect(cache.object(content).storeAll(content))
            truncate(folder.folder.fresh(content.name), left)
        }
        folder.closeAll()
        let object = try folder.open(boot: 2).object(content)
        #expect(!object.isComplete)
        #expect(!object.verify(block: 0))
        #expect(object.state(ofBlock: 0) == .absent)
        #expect(object.store(content, 0) && object.isComplete)
        #expect(try object.bytes(0..<100) == content.bytes)
    }

    @Test("is kept by what was synced")
    func durable() throws {
        do {
            let cache = try folder.open(boot: 1)
            #expect(cache.object(content).storeAll(content))
            #expect(cache.core.durability.flush() == 1)
        }
        folder.closeAll()
        #expect(try folder.open(boot: 2).object(content).isComplete)
    }

    @Test("of what an ended process left fresh is taken over by the next")
    func adoption() throws {
        do {
            let cache = try folder.open()
            #expect(cache.object(content).storeAll(content))
            cache.abandon()
        }
        folder.closeAll()
        let cache = try folder.open()
        #expect(cache.object(content).isComplete)
        #expect(cache.core.durability.flush() == 1)
        #expect(exists(folder.folder.object(content.name)))
    }

    @Test("is taken from everything since the start when the disk lost writes")
    func diskLoss() throws {
        let (old, part) = (TestContent(seed: 4, size: 10), TestContent(seed: 5, size: 9000))
        let cache = try folder.open()
        let (first, second, third) = (cache.object(old), cache.object(content), cache.object(part))
        #expect(first.storeAll(old))
        cache.core.durability.flush()
        #expect(second.storeAll(content) && third.store(part, 1))
        cache.core.distrust()
        #expect(first.isComplete)
        #expect(!second.isComplete)
        #expect((0..<4).map { second.state(ofBlock: $0) } == [.suspect, .suspect, .present, .suspect])
        #expect((0..<3).map { third.state(ofBlock: $0) } == [.absent, .suspect, .absent])
        #expect(second.verify(block: 0) && second.verify(block: 1) && second.verify(block: 3) && second.isComplete)
    }

    @Test("is lost with a flipped bit anywhere in the map's header", arguments: 0..<64)
    func headerBits(byte: Int) throws {
        do {
            let object = try folder.open().object(content)
            #expect(object.store(content, 0))
        }
        folder.closeAll()
        try flip(folder.folder.map(content.name), at: byte, bit: UInt8(1 << (byte % 8)))
        let object = try folder.open().object(content)
        #expect((0..<4).map { object.state(ofBlock: $0) } == [.suspect, .absent, .present, .absent])
        #expect(object.verify(block: 0) && object.store(content, 1) && object.store(content, 3))
        #expect(try object.bytes(0..<4096 * 4) == content.bytes)
    }

    @Test("no flipped bit in the map makes an absent block present", arguments: 0..<8)
    func stateBits(bit: Int) throws {
        do {
            let object = try folder.open().object(content)
            #expect(object.store(content, 0))
        }
        folder.closeAll()
        for block in [0, 1] { try flip(folder.folder.map(content.name), at: 64 + block, bit: UInt8(1 << bit)) }
        let object = try folder.open().object(content)
        #expect(object.state(ofBlock: 0) == .suspect && object.state(ofBlock: 1) == .suspect)
        #expect(object.verify(block: 0) && !object.verify(block: 1))
    }

    @Test("a map that is cut short or gone makes all that has bytes suspect", arguments: [-1, 0, 63, 66, 100])
    func shortMap(length: Int) throws {
        do {
            let object = try folder.open().object(content)
            #expect(object.store(content, 3))
        }
        folder.closeAll()
        let map = folder.folder.map(content.name)
        if length < 0 { unlink(map) } else { truncate(map, length) }
        let object = try folder.open().object(content)
        #expect((0..<4).map { object.state(ofBlock: $0) } == [.absent, .absent, .present, .suspect])
        #expect(object.verify(block: 3))
    }

    @Test("a data file of another size makes all blocks suspect")
    func wrongSize() throws {
        do {
            let object = try folder.open().object(content)
            #expect(object.store(content, 0) && object.store(content, 3))
        }
        folder.closeAll()
        truncate(folder.folder.partial(content.name), 5000)
        let object = try folder.open().object(content)
        #expect((0..<4).map { object.state(ofBlock: $0) } == [.suspect, .absent, .present, .absent])
        #expect(object.verify(block: 0) && !object.verify(block: 1))
    }

    @Test("bytes without their map's mark, as a crash between the two leaves them, are absent")
    func dataWithoutMark() throws {
        do {
            let object = try folder.open().object(content)
            #expect(object.store(content, 0))
        }
        folder.closeAll()
        let file = try FileDescriptor(folder.folder.partial(content.name), O_RDWR)
        try content.block(3).withUnsafeBytes { try file.write($0, at: 3 * 4096) }
        #expect(try folder.open().object(content).state(ofBlock: 3) == .absent)
    }

    @Test("a crash at any step of completing leaves a content that is whole or can be completed", arguments: 0..<4)
    func crashWhileCompleting(step: Int) throws {
        let paths = folder.folder
        do {
            let object = try folder.open().object(content)
            #expect(object.store(content, 0) && object.store(content, 1))
        }
        folder.closeAll()
        let file = try FileDescriptor(paths.partial(content.name), O_RDWR)
        try content.block(3).withUnsafeBytes { try file.write($0, at: 3 * 4096) }
        let map = try FileDescriptor(paths.map(content.name), O_RDWR)
        try [BlockState.present.rawValue].withUnsafeBytes { try map.write($0, at: 64 + 3) }
        if step >= 1 { chmod(paths.partial(content.name), 0o400) }
        if step >= 2 { rename(paths.partial(content.name), paths.fresh(content.name)) }
        if step >= 3 { unlink(paths.map(content.name)) }
        let cache = try folder.open()
        let object = cache.object(content)
        #expect(object.isComplete)
        #expect(try object.bytes(0..<4096 * 4) == content.bytes)
        #expect(exists(paths.fresh(content.name)) && !exists(paths.partial(content.name)))
        cache.collect()
        #expect(!exists(paths.map(content.name)))
    }

    @Test("a hole with bytes in it after a crash reads as zeros")
    func dirtyHole() throws {
        do {
            let object = try folder.open(boot: 1).object(content)
            #expect(object.store(content, 0))
        }
        folder.closeAll()
        try flip(folder.folder.partial(content.name), at: 2 * 4096 + 1)
        let object = try folder.open(boot: 2).object(content)
        #expect(try object.bytes(8192..<12288) == Array(repeating: 0, count: 4096))
    }

    /// The same content, with a block of zeros where `content` has a hole.
    private var withoutHole: TestContent {
        var twin = content
        twin.holes = []
        return twin
    }

    @Test("a damaged block of zeros does not show where another flist has a hole", arguments: [false, true])
    func damagedZeros(byReader: Bool) throws {
        let cache = try folder.open(boot: 1)
        do {
            let object = cache.object(withoutHole)
            for block in [0, 2] { #expect(object.store(withoutHole, block)) }
        }
        try flip(folder.folder.partial(content.name), at: 2 * 4096 + 1)
        if byReader {
            folder.closeAll()
            let object = try folder.open(boot: 2).object(withoutHole)
            #expect(object.state(ofBlock: 2) == .suspect)
            #expect(!object.verify(block: 2))
        } else {
            #expect(cache.check().damagedBlocks == 1)
        }
        folder.closeAll()
        let object = try folder.open(boot: byReader ? 2 : 1).object(content)
        #expect(try object.bytes(8192..<12288) == Array(repeating: 0, count: 4096))
        #expect([0, 1, 3].allSatisfy { object.verify(block: $0) || object.store(content, $0) })
        #expect(object.isComplete)
        #expect(try object.bytes(0..<4096 * 4) == content.bytes)
    }

    @Test("a block of zeros that is in doubt since before does not show where another flist has a hole")
    func doubtfulZeros() throws {
        do {
            let object = try folder.open(boot: 1).object(withoutHole)
            for block in [0, 2] { #expect(object.store(withoutHole, block)) }
        }
        folder.closeAll()
        try flip(folder.folder.partial(content.name), at: 2 * 4096 + 1)
        let cache = try folder.open(boot: 2)
        #expect(cache.object(withoutHole).state(ofBlock: 2) == .suspect)
        folder.closeAll()
        let object = try folder.open(boot: 2).object(content)
        #expect(try object.bytes(8192..<12288) == Array(repeating: 0, count: 4096))
    }
}
