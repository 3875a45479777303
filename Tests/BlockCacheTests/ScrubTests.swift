import CLinux
import Glibc
import Support
import Synchronization
import Testing

@testable import BlockCache

@Suite("Cache scrubbing")
struct ScrubTests {
    /// On a disk: what is in memory alone cannot be read past the kernel's.
    let folder = TemporaryFolder(in: "/var/tmp")
    private static let week = 7 * 24 * 60 * 60

    private func scrubber(_ cache: BlockCache, now: Int = 1_000_000, rate: UInt64 = 1 << 40) -> Scrubber {
        Scrubber(cache.core, ScrubOptions(bytesPerSecond: rate, delay: .zero), now: { now })
    }

    private var progress: String {
        get throws { String(decoding: try contents(folder.folder.scrub).prefix { $0 != 10 }, as: UTF8.self) }
    }

    @Test(
        "finds and removes a flipped bit in a complete content of any size",
        arguments: [1, 4095, 4096, 4097, 10_000, 70_000], [BLAKE2b.Length.bytes16, .bytes32])
    func flippedBit(size: Int, digestLength: BLAKE2b.Length) throws {
        let content = TestContent(seed: 1, size: size, digestLength: digestLength)
        let other = TestContent(seed: 2, size: size, digestLength: digestLength)
        let cache = try folder.open()
        #expect(cache.object(content).storeAll(content) && cache.object(other).storeAll(other))
        cache.core.durability.flush()
        let open = cache.object(content)
        try flip(folder.folder.object(content.name), at: size - 1, bit: 64)
        scrubber(cache).look()
        #expect(!exists(folder.folder.object(content.name)) && exists(folder.folder.object(other.name)))
        #expect(!open.isComplete && !open.holds(0..<1))
        #expect(open.storeAll(content))
        #expect(try open.bytes(0..<size) == content.bytes)
        let statistics = cache.statistics()
        #expect(statistics.scrubbed == 2 && statistics.damaged == 1 && statistics.failures == 0)
    }

    @Test(
        "finds a flipped bit in a present block of a partial content, odd sizes of blocks too", arguments: [4096, 1000])
    func partial(blockSize: Int) throws {
        let content = TestContent(seed: 3, size: blockSize * 4 + 7, blockSize: blockSize)
        let cache = try folder.open()
        let object = cache.object(content)
        for block in [0, 1, 4] { #expect(object.store(content, block)) }
        try flip(folder.folder.partial(content.name), at: blockSize + 3)
        scrubber(cache).look()
        #expect((0..<5).map { object.state(ofBlock: $0) } == [.present, .absent, .absent, .absent, .present])
        #expect(cache.statistics().damaged == 1)
    }

    @Test("reads each content once in a round, and begins the next when it is time")
    func rounds() throws {
        let cache = try folder.open()
        for seed in 0..<5 {
            let content = TestContent(seed: UInt64(seed), size: 5000)
            #expect(cache.object(content).storeAll(content))
        }
        cache.core.durability.flush()
        func scrubbed(at now: Int) -> Int {
            scrubber(cache, now: now).look()
            return cache.statistics().scrubbed
        }
        #expect(scrubbed(at: 1000) == 5)
        #expect(try progress == "flist-scrub-1 1000 done")
        #expect(scrubbed(at: 1000 + Self.week - 1) == 5)
        #expect(scrubbed(at: 1000 + Self.week) == 10)
        // A clock that was set back by years does not put the next round off by as much.
        #expect(scrubbed(at: 50) == 15)
        #expect(try progress == "flist-scrub-1 50 done")
    }

    @Test("goes on where another process ended")
    func resumes() throws {
        let cache = try folder.open()
        let contents = (0..<6).map { TestContent(seed: UInt64($0), size: 5000) }
        for content in contents { #expect(cache.object(content).storeAll(content)) }
        cache.core.durability.flush()
        let names = contents.map(\.name.description).sorted()
        let file = try FileDescriptor(folder.folder.scrub, O_RDWR | O_CREAT, mode: 0o600)
        var half = ScrubProgress(started: 1_000_000)
        half.last = names[3]
        half.save(to: file)
        scrubber(cache).look()
        #expect(cache.statistics().scrubbed == 2)
        #expect(try progress == "flist-scrub-1 1000000 done")
    }

    @Test("leaves a cache to the process that is at it")
    func oneAtATime() throws {
        let cache = try folder.open()
        let content = TestContent(seed: 1, size: 100)
        #expect(cache.object(content).storeAll(content))
        cache.core.durability.flush()
        do {
            let other = try FileDescriptor(folder.folder.scrub, O_RDWR | O_CREAT, mode: 0o600)
            #expect(flock(other.number, LOCK_EX | LOCK_NB) == 0)
            scrubber(cache).look()
            #expect(cache.statistics().scrubbed == 0)
        }
        scrubber(cache).look()
        #expect(cache.statistics().scrubbed == 1)
    }

    @Test(
        "takes any line in the file of its progress",
        arguments: ["", "x", "flist-scrub-1", "flist-scrub-1 x done", "\0\n"])
    func oddProgress(line: String) throws {
        let cache = try folder.open()
        let content = TestContent(seed: 1, size: 100)
        #expect(cache.object(content).storeAll(content))
        cache.core.durability.flush()
        let file = try FileDescriptor(folder.folder.scrub, O_RDWR | O_CREAT, mode: 0o600)
        try Array(line.utf8).withUnsafeBytes { try file.write($0, at: 0) }
        scrubber(cache).look()
        #expect(cache.statistics().scrubbed == 1)
        #expect(try progress == "flist-scrub-1 1000000 done")
    }

    @Test(
        "ends at once in the middle of a slow round, and says nothing of what it did not read", .timeLimit(.minutes(5)))
    func stops() throws {
        let cache = try folder.open()
        let content = TestContent(seed: 1, size: 4096 * 50)
        #expect(cache.object(content).storeAll(content))
        cache.core.durability.flush()
        // One byte a second: the first content alone would take days.
        cache.startScrubbing(ScrubOptions(bytesPerSecond: 1, delay: .zero))
        let deadline = Deadline.after(.seconds(30))
        while !exists(folder.folder.scrub), !deadline.hasPassed { sched_yield() }
        cache.close()
        #expect(cache.statistics().scrubbed == 0 && cache.statistics().damaged == 0)
        #expect(exists(folder.folder.object(content.name)))
        let progress = try progress
        #expect(progress == "" || progress.hasSuffix(" begun"))
    }

    @Test("keeps to its rate whatever the sizes of the reads")
    func pace() {
        var pace = ScrubPace(bytesPerSecond: 1_000_000)
        // The first is free; a wait comes once it is worth it.
        #expect(pace.delay(before: 1_000_000, now: 5) == 0)
        #expect(pace.delay(before: 10_000, now: 5) == 1_000_000_000)
        #expect((0..<4).map { _ in pace.delay(before: 10_000, now: 1_000_000_005) } == [0, 0, 0, 0])
        #expect(pace.delay(before: 10_000, now: 1_000_000_005) == 50_000_000)
        // Time that was not used is not saved up.
        #expect(pace.delay(before: 1_000_000, now: 100_000_000_000) == 0)
        #expect(pace.delay(before: 0, now: 100_000_000_000) == 1_000_000_000)
    }
}
