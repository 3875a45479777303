import CLinux
import Glibc
import Support
import Synchronization
import Testing

@testable import BlockCache

@Suite("Cache quota")
struct CacheQuotaTests {
    let folder = TemporaryFolder()

    /// Contents and their maps on disk.
    var stored: UInt64 {
        [folder.folder.objects, folder.folder.fresh, folder.folder.partial].reduce(0) { $0 + diskUsage($1) }
    }

    func content(_ number: Int, size: Int = 4096) -> TestContent { TestContent(seed: UInt64(number), size: size) }

    @Test("evicts what was not used for longest")
    func leastRecentlyUsed() throws {
        let cache = try folder.open(quota: 64 * 4096)
        for number in 0..<64 { #expect(cache.object(content(number)).store(content(number), 0)) }
        #expect(stored == 64 * 4096)
        for number in 0..<64 { age(folder.folder.fresh(content(number).name), 1000 - number) }
        // Use makes the oldest the newest.
        _ = cache.object(content(0))
        #expect(cache.object(content(64)).store(content(64), 0))
        // A tenth of the quota, rounded up to whole contents.
        let gone = (0...64).filter { !exists(folder.folder.fresh(content($0).name)) }
        #expect(gone == Array(1...7))
        #expect(cache.statistics().evictions == 7)
        #expect(cache.core.ledger.used.map { $0 >= stored } == true)
    }

    @Test("never evicts what is open, and then stores no more until it is closed")
    func openObjects() throws {
        let (cache, other) = (try folder.open(quota: 16 * 4096), try folder.open(quota: 16 * 4096))
        var open: [CachedObject] = []
        for number in 0..<16 {
            open.append((number % 2 == 0 ? cache : other).object(content(number)))
            #expect(open[number].store(content(number), 0))
        }
        let late = cache.object(content(99))
        #expect(!late.store(content(99), 0))
        #expect(late.state(ofBlock: 0) == .absent && !late.isComplete)
        #expect(cache.statistics().failures > 0)
        for number in 0..<16 { #expect(try open[number].bytes(0..<4096) == content(number).bytes) }
        open.removeLast(4)
        #expect(late.storeInTime(content(99), 0))
        #expect(stored <= 16 * 4096)
        for number in 0..<12 { #expect(try open[number].bytes(0..<4096) == content(number).bytes) }
    }

    @Test("asks holders to let go of what they keep when all that could go is open, of the colder half first")
    func holders() throws {
        let cache = try folder.open(quota: 16 * 4096)
        let holder = TestHolder()
        cache.add(holder)
        for number in 0..<16 {
            let object = cache.object(content(number))
            #expect(object.store(content(number), 0))
            holder.objects.withLock { $0.append(object) }
        }
        let late = cache.object(content(99))
        #expect(late.store(content(99), 0))
        #expect(holder.asked.withLock { $0 } == [.colderHalf])
        // A tenth of the quota, rounded up to whole contents, of what was let go of.
        #expect(cache.statistics().evictions == 2)
        #expect(holder.objects.withLock { $0.count } == 8)
        #expect((8..<16).allSatisfy { exists(folder.folder.fresh(content($0).name)) })
        cache.collect()
        #expect(holder.asked.withLock { $0 } == [.colderHalf, .idle])
    }

    @Test("evicts partial contents with their maps")
    func partial() throws {
        let cache = try folder.open(quota: 20 * 4096)
        for number in 0..<6 {
            let content = content(number, size: 8000)
            #expect(cache.object(content).store(content, 0))
            age(folder.folder.partial(content.name), 1000 - number)
        }
        #expect(stored == 12 * 4096)
        let large = content(50, size: 19 * 4096)
        let object = cache.object(large)
        let count = (0..<19).prefix { object.store(large, $0) }.count
        // The map takes one page, and is gone when the last block is there.
        #expect(count == 19 && object.isComplete)
        #expect(stored == 19 * 4096)
        #expect(try object.bytes(0..<19 * 4096) == large.bytes)
    }

    @Test("takes as much of a content larger than itself as it can")
    func tooLarge() throws {
        let cache = try folder.open(quota: 16 * 4096)
        let large = content(1, size: 40 * 4096)
        let object = cache.object(large)
        let held = (0..<40).filter { object.store(large, $0) }
        #expect(held == Array(0..<15))
        #expect(stored <= 16 * 4096)
        for block in held { #expect(try object.bytes(block * 4096..<(block + 1) * 4096) == large.block(block)) }
    }

    @Test(
        "is never exceeded by four writing threads of two processes",
        .enabled(if: geteuid() == 0, "needs root to mount"),
        .timeLimit(.minutes(5)))
    func writers() throws {
        // A file system of its own tells what is in use at one moment, which a walk through folders does not.
        try folder.withDisk(pages: 2000) {
            let quota = 128
            let caches = [try folder.open(quota: UInt64(quota) * 4096), try folder.open(quota: UInt64(quota) * 4096)]
            let running = Atomic<Int>(4)
            let wrong = Atomic<Int>(0)
            let stores = Atomic<Int>(0)
            // The folder itself, and the files boot, clock, usage, and one lock for each process.
            let others = 1 + 5
            let workers = try (0..<4).map { worker in
                try WorkerThread("test") {
                    for round in 0..<150 {
                        let size = [100, 4096, 9000, 30_000][round % 4]
                        let content = TestContent(seed: UInt64(worker * 1000 + round), size: size)
                        let object = caches[worker % 2].object(content)
                        for block in 0..<content.count where object.store(content, block) {
                            stores.add(1, ordering: .relaxed)
                            let begin = block * 4096
                            let read = try? object.bytes(begin..<min(begin + 4096, size))
                            if read != content.block(block) { wrong.add(1, ordering: .relaxed) }
                        }
                    }
                    running.subtract(1, ordering: .relaxed)
                }
            }
            var (most, looks) = (0, 0)
            while running.load(ordering: .relaxed) > 0 {
                most = max(most, folder.pagesInUse)
                looks += 1
            }
            for worker in workers { worker.join() }
            most = max(most, folder.pagesInUse)
            #expect(most <= quota + others)
            #expect(most > quota / 2)
            #expect(looks > 100)
            #expect(wrong.load(ordering: .relaxed) == 0)
            // Of 1,950; how many find room depends on who runs when.
            #expect(stores.load(ordering: .relaxed) > 300)
            #expect((caches[0].core.ledger.used ?? 0) >= stored)
            caches[0].collect()
            #expect(caches[0].check(repair: false).damaged == [])
            for cache in caches { cache.close() }
            #expect((caches[0].core.ledger.used ?? 0) >= stored)
        }
    }

    @Test("forgets what killed processes had reserved")
    func killed() throws {
        for round in 0..<40 {
            let cache = try folder.open(quota: 64 * 4096)
            #expect(cache.object(content(round)).store(content(round), 0))
            cache.abandon()
        }
        let cache = try folder.open(quota: 64 * 4096)
        for number in 40..<100 { #expect(cache.object(content(number)).store(content(number), 0)) }
        #expect(stored > 50 * 4096 && stored <= 64 * 4096)
        cache.collect()
        #expect(entries(of: folder.folder.temporary).count == 1)
    }

    @Test("is counted anew when the ledger is damaged or gone", arguments: [true, false])
    func ledger(isGone: Bool) throws {
        do {
            let cache = try folder.open(quota: 64 * 4096)
            for number in 0..<60 { #expect(cache.object(content(number)).store(content(number), 0)) }
        }
        folder.closeAll()
        if isGone { unlink(folder.folder.usage) } else { try flip(folder.folder.usage, at: 2, bit: 64) }
        let cache = try folder.open(quota: 64 * 4096)
        for number in 60..<70 { #expect(cache.object(content(number)).store(content(number), 0)) }
        #expect(stored <= 64 * 4096 && stored >= 56 * 4096)
    }

    @Test("that is lowered is kept by the next collection")
    func lowered() throws {
        do {
            let cache = try folder.open(quota: 64 * 4096)
            for number in 0..<60 { #expect(cache.object(content(number)).store(content(number), 0)) }
        }
        folder.closeAll()
        let cache = try folder.open(quota: 32 * 4096)
        let collection = cache.collect()
        #expect(stored <= 29 * 4096)
        #expect(collection.objects == 60 - Int(stored / 4096))
        #expect(collection.bytes == 60 * 4096 - stored)
    }

    @Test("leaves the share of the disk free that it was told to")
    func freeShare() throws {
        // All of the disk is to stay free.
        let cache = try folder.open(freeShare: 1)
        let object = cache.object(content(1))
        #expect(!object.store(content(1), 0))
        #expect(!object.isComplete && stored == 0)
    }

    @Test("counts holes as nothing")
    func holes() throws {
        let cache = try folder.open(quota: 16 * 4096)
        let sparse = TestContent(seed: 1, size: 4096 * 1000, holes: Set(1..<1000))
        let object = cache.object(sparse)
        // Its map takes nine pages while it is partial.
        #expect(object.store(sparse, 0) && object.isComplete)
        #expect(stored == 4096)
        #expect(try object.bytes(0..<4096 * 1000) == sparse.bytes)
    }
}

/// Keeps contents open, the coldest first.
private final class TestHolder: ContentHolder {
    let objects = Mutex<[CachedObject]>([])
    let asked = Mutex<[HeldContents]>([])

    func letGo(_ choice: HeldContents) {
        asked.withLock { $0.append(choice) }
        let dropped = objects.withLock { objects in
            let count = choice == .all ? objects.count : choice == .colderHalf ? objects.count / 2 : 0
            defer { objects.removeFirst(count) }
            return Array(objects.prefix(count))
        }
        withExtendedLifetime(dropped) {}
    }
}
