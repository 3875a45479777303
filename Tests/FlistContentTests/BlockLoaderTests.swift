import BlockCodec
import BlockStore
import Glibc
import Support
import Synchronization
import Testing
import TestSupport

@testable import FlistContent

@Suite("Loading of blocks", .timeLimit(.minutes(5)))
struct BlockLoaderTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("eight readers of one block cause one fetch")
    func joins() throws {
        let flist = try TestFlist(4096)
        let store = GateStore(flist, isOpen: false)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        let reads = (0..<8).map { _ in PendingRead() }
        let file = try fixture.file()
        for (number, read) in reads.enumerated() {
            try WorkerThread("reader") {
                file.read(UInt64(number)..<UInt64(number) + 100) { read.end($0) }
            }.join()
        }
        #expect(store.wait(forRequests: 1))
        store.open()
        for (number, read) in reads.enumerated() {
            #expect(try read.bytes() == Array(flist.contents[0][number..<number + 100]))
        }
        fixture.settle()
        #expect(store.asked.count == 1)
        #expect(reads.allSatisfy { $0.ends == 1 })
        #expect(fixture.reader.statistics.demandBlocks == 1)
    }

    @Test("two files of the same bytes are one content")
    func sameContent() throws {
        let flist = try TestFlist(4096 * 2, holes: [0, 1])
        #expect(flist.stored.isEmpty)
        let content = try TestFlist(10_000)
        let store = GateStore(content)
        let fixture = try ReaderFixture(content, from: store, cache: "\(folder.path)/cache")
        #expect(try fixture.read(0..<10_000) == content.contents[0])
        fixture.settle()
        let second = ContentReader(
            index: content.index, cache: fixture.cache, fetcher: fixture.fetcher, router: fixture.router,
            logger: fixture.lines.logger)
        let file = try #require(second.file(try content.inode(0)))
        #expect(file.isLocal(0) && file.isLocal(1) && file.isLocal(2))
        #expect(store.asked.count == 3)
    }

    @Test("a demand lifts a block that waits as readahead, and is asked for at once though the window is full")
    func lifts() throws {
        // The window of the store has room for 64 blocks at first: the others queue.
        var options = FetcherOptions()
        options.smallBlockWindow = 512
        let flist = try TestFlist(100 * 4096)
        let store = GateStore(flist, isOpen: false)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache", options: options)
        let file = try fixture.file()
        let (first, last) = (PendingRead(), PendingRead())
        file.read(0..<10) { first.end($0) }
        let queued = fixture.fetcher.statistics.queued[.readahead] ?? 0
        let before = store.asked.count
        #expect(before == 64 && queued == 36)
        file.read(99 * 4096..<99 * 4096 + 10) { last.end($0) }
        #expect(fixture.fetcher.statistics.queued == [.demand: 0, .readahead: 35, .prefetch: 0])
        #expect(store.asked.count == 65)
        store.open()
        #expect(try last.bytes() == Array(flist.contents[0][99 * 4096..<99 * 4096 + 10]))
        #expect(try first.bytes() == Array(flist.contents[0][0..<10]))
        fixture.settle()
        #expect(store.asked.count == 100)
        #expect(store.asked[before] == (try flist.id(99)))
    }

    @Test("a demand that joins a readahead late has time of its own")
    func lateDemand() throws {
        let flist = try TestFlist(2 * 4096)
        let store = GateStore(flist, isOpen: false)
        var options = FetcherOptions()
        options.deadline = .seconds(3)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache", options: options)
        let file = try fixture.file()
        let (first, second) = (PendingRead(), PendingRead())
        file.read(0..<10) { first.end($0) }
        usleep(1_500_000)
        file.read(4096..<4106) { second.end($0) }
        #expect(
            throws: FetchError.timedOut(
                try flist.id(0), [StoreFailure(address: fixture.router.stores[0].address, error: .timedOut)])
        ) { try first.bytes() }
        // The second block, once more.
        #expect(store.wait(forRequests: 3))
        store.open()
        #expect(try second.bytes() == Array(flist.contents[0][4096..<4106]))
        #expect(fixture.lines.all.count == 1)
    }

    @Test("without a disk, blocks stay in memory for the reads that follow")
    func memory() throws {
        let flist = try TestFlist(8 * 4096)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store)
        for start in stride(from: 0, to: 8 * 4096, by: 512) {
            #expect(try fixture.read(start..<start + 512) == Array(flist.contents[0][start..<start + 512]))
        }
        fixture.settle()
        #expect(store.asked.count == 8)
    }

    @Test("readahead does not push out of memory what is yet to be read")
    func memoryLimit() throws {
        let flist = try TestFlist(200 * 4096)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, memory: 20 * 4096)
        for start in stride(from: 0, to: 200 * 4096, by: 1024) {
            #expect(try fixture.read(start..<start + 1024) == Array(flist.contents[0][start..<start + 1024]))
        }
        fixture.settle()
        #expect(store.asked.count == 200)
    }

    @Test("a failure names path, block and store, once for many reads")
    func logs() throws {
        let flist = try TestFlist(4096)
        let router = try BlockRouter(RouteTable(routes: [StoreRoute(parsing: "dir://\(folder.path)/none")]))
        let fixture = try ReaderFixture(flist, router: router, cache: "\(folder.path)/cache")
        for _ in 0..<5 { #expect(throws: FetchError.self) { try fixture.read(0..<10) } }
        let id = try flist.id(0)
        let inode = try flist.inode(0)
        #expect(
            fixture.lines.all == [
                "error cannot read a block error=block \(id): dir://\(folder.path)/none: \(StoreError.missing); add a store that has it"
                    + " inode=\(inode) path=/file0"
            ])
        #expect(fixture.reader.statistics.failedReads == 5)
        try flist.upload(to: "\(folder.path)/none")
        // On a busy machine the failure may have taken so long that it holds for a moment.
        usleep(300_000)
        #expect(try fixture.read(0..<10) == Array(flist.contents[0][0..<10]))
    }

    @Test("one block that fails fails the read over several, once")
    func partFails() throws {
        let flist = try TestFlist(4 * 4096)
        try flist.upload(to: "\(folder.path)/store")
        let bad = try flist.id(2)
        unlink("\(folder.path)/store/\(bad.description.prefix(2))/\(bad)")
        let router = try BlockRouter(RouteTable(routes: [StoreRoute(parsing: "dir://\(folder.path)/store")]))
        let fixture = try ReaderFixture(flist, router: router, cache: "\(folder.path)/cache")
        let pending = PendingRead()
        try fixture.file().read(0..<16_384) { pending.end($0) }
        #expect(throws: FetchError.failed(bad, [StoreFailure(address: "dir://\(folder.path)/store", error: .missing)]))
        {
            try pending.bytes()
        }
        fixture.settle()
        #expect(pending.ends == 1)
        #expect(try fixture.read(0..<8192) == Array(flist.contents[0][0..<8192]))
        #expect(try fixture.read(12_288..<16_384) == Array(flist.contents[0][12_288...]))
    }

    @Test("a server that breaks off in the middle costs a retry, not a byte")
    func faults() throws {
        let flist = try TestFlist(64 * 4096)
        let server = try RedisServer()
        for (id, bytes) in flist.stored { try server.set(id.bytes, bytes) }
        let proxy = try FaultProxy(to: server.port, fault: .reset(after: 20_000))
        let router = try BlockRouter(RouteTable(routes: [StoreRoute(parsing: "redis://127.0.0.1:\(proxy.port)")]))
        let fixture = try ReaderFixture(flist, router: router, cache: "\(folder.path)/cache")
        let pending = PendingRead()
        try fixture.file().read(0..<64 * 4096) { pending.end($0) }
        usleep(300_000)
        try proxy.set(.none)
        #expect(try pending.bytes() == flist.contents[0])
        fixture.settle()
        #expect(pending.ends == 1)
        #expect(fixture.reader.statistics.failedReads == 0)
    }

    @Test("reads under way are answered when the fetcher ends")
    func shutdown() throws {
        let flist = try TestFlist(30 * 4096)
        let fixture = try ReaderFixture(flist, from: GateStore(flist, isOpen: false), cache: "\(folder.path)/cache")
        let file = try fixture.file()
        let reads = (0..<30).map { _ in PendingRead() }
        for (number, read) in reads.enumerated() {
            let start = UInt64(number) * 4096
            file.read(start..<min(file.size, start + 10_000)) { read.end($0) }
        }
        fixture.fetcher.shutdown()
        for read in reads { #expect(throws: FetchError.cancelled) { try read.bytes() } }
        let late = PendingRead()
        file.read(0..<10) { late.end($0) }
        #expect(throws: FetchError.cancelled) { try late.bytes() }
        #expect(reads.allSatisfy { $0.ends == 1 })
        #expect(fixture.lines.all == [])
    }

    @Test("many readers of overlapping ranges all get their bytes, once each")
    func stress() throws {
        let flist = try TestFlist(60 * 4096 + 17, holes: [7, 20, 21])
        let fixture = try ReaderFixture(flist, from: GateStore(flist), cache: "\(folder.path)/cache")
        let wrong = Atomic<Int>(0)
        let threads = try (0..<8).map { _ in
            try WorkerThread("reader") {
                for _ in 0..<200 {
                    let start = Int.random(in: 0..<60 * 4096)
                    let range = start..<start + Int.random(in: 1...20_000)
                    let expected = flist.contents[0][range.clamped(to: 0..<60 * 4096 + 17)]
                    if (try? fixture.read(range)) != Array(expected) { wrong.add(1, ordering: .relaxed) }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(fixture.fetcher.statistics.blocks == 58)
    }
}
