import Glibc
import Support
import Synchronization
import Testing

@testable import BlockCache

/// Two caches on one folder share nothing in memory, so they stand for two processes.
@Suite("Cache sharing")
struct CacheSharingTests {
    let folder = TemporaryFolder()
    let content = TestContent(seed: 1, size: 4096 * 6)

    @Test("lets one see the blocks that another stores, and completes once")
    func partial() throws {
        let (first, second) = (try folder.open(), try folder.open())
        let (a, b) = (first.object(content), second.object(content))
        #expect(a !== b)
        #expect(a.store(content, 0) && b.store(content, 1) && a.store(content, 2))
        #expect(a.state(ofBlock: 1) == .present && b.state(ofBlock: 0) == .present)
        #expect(b.holds(0..<3 * 4096) && !b.holds(0..<3 * 4096 + 1))
        #expect(try b.bytes(0..<3 * 4096) == Array(content.bytes[..<(3 * 4096)]))
        #expect(a.store(content, 3) && b.store(content, 4) && b.store(content, 5))
        #expect(a.holds(0..<6 * 4096) && b.holds(0..<6 * 4096))
        #expect(a.isComplete && b.isComplete)
        #expect(try a.bytes(0..<6 * 4096) == content.bytes)
        #expect(try b.bytes(0..<6 * 4096) == content.bytes)
        #expect(exists(folder.folder.fresh(content.name)) && !exists(folder.folder.map(content.name)))
        #expect(first.statistics().objects == 1 && first.statistics().partial == 0)
    }

    @Test("keeps one file when both store a content of one block")
    func oneBlock() throws {
        let content = TestContent(seed: 2, size: 1000)
        let (first, second) = (try folder.open(quota: 1 << 20), try folder.open(quota: 1 << 20))
        let (a, b) = (first.object(content), second.object(content))
        #expect(a.store(content, 0) && b.store(content, 0))
        #expect(isSame(a.backing.data, folder.folder.fresh(content.name)))
        #expect(isSame(b.backing.data, folder.folder.fresh(content.name)))
        #expect(first.statistics().bytes == 4096)
        first.close()
        second.close()
        #expect(first.core.ledger.used == 4096)
    }

    @Test("both syncing leaves one durable file")
    func sync() throws {
        let (first, second) = (try folder.open(), try folder.open())
        #expect(first.object(content).storeAll(content))
        second.core.durability.adopt()
        #expect(first.core.durability.flush() + second.core.durability.flush() == 1)
        #expect(second.object(content).isComplete)
    }

    @Test("survives many threads of two processes storing and reading the same contents", .timeLimit(.minutes(5)))
    func threads() throws {
        let contents = (0..<20).map { TestContent(seed: UInt64($0), size: 300 + $0 * 1500, blockSize: 1024) }
        let caches = [try folder.open(), try folder.open()]
        let wrong = Atomic<Int>(0)
        let workers = try (0..<4).map { worker in
            try WorkerThread("test") {
                for round in 0..<3 {
                    for content in contents.shuffled() {
                        let object = caches[worker % 2].object(content)
                        for block in (0..<content.count).shuffled() {
                            if object.state(ofBlock: block) != .present, !object.store(content, block) {
                                wrong.add(1, ordering: .relaxed)
                            }
                            let begin = block * 1024
                            let end = min(begin + 1024, content.bytes.count)
                            if (try? object.bytes(begin..<end)) != content.block(block) {
                                wrong.add(1, ordering: .relaxed)
                            }
                        }
                        if !object.isComplete, !object.holds(0..<content.size) { wrong.add(1, ordering: .relaxed) }
                    }
                    if round == 1 { caches[worker % 2].core.durability.flush() }
                }
            }
        }
        for worker in workers { worker.join() }
        #expect(wrong.load(ordering: .relaxed) == 0)
        for cache in caches { cache.core.durability.flush() }
        let check = caches[0].check(repair: false)
        #expect(check.objects == 20 && check.damaged == [])
        #expect(caches[0].statistics().partial == 0)
    }
}
