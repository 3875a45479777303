import BlockStore
import FlistImage
import Support
import TestSupport
import Testing

@testable import FlistContent

@Suite("Prefetching", .timeLimit(.minutes(5)))
struct PrefetcherTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func spans(_ fixture: ReaderFixture, _ files: Int...) throws -> [ContentSpan] {
        try files.map { ContentSpan(inode: try fixture.flist.inode($0), blocks: 0..<Int.max) }
    }

    @Test("brings exactly the missing blocks, once and in order, and no store is needed afterwards")
    func exact() throws {
        let flist = try TestFlist(3 * 4096, 100, 5000)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        _ = try fixture.read(0..<100, of: 1)
        fixture.settle()
        let prefetcher = Prefetcher(fixture.reader)
        prefetcher.run(try spans(fixture, 2, 1, 0, 2))
        let expected = try [
            flist.id(0, of: 1), flist.id(0, of: 2), flist.id(1, of: 2), flist.id(0), flist.id(1), flist.id(2),
        ]
        #expect(store.asked == expected)
        let progress = prefetcher.progress
        // The file that is named again may still be on its way then.
        #expect(progress.fetched + progress.present == 8 && progress.present >= 1)
        #expect(progress.failed == 0 && !progress.isCacheFull && !progress.hasGivenUp)
        for file in 0..<3 { #expect(try fixture.read(0..<20_000, of: file) == flist.contents[file]) }
        let second = Prefetcher(fixture.reader)
        second.run(try spans(fixture, 0, 1, 2))
        #expect(second.progress.present == 6 && second.progress.fetched == 0)
        #expect(store.asked == expected)
        #expect(fixture.reader.statistics.prefetchBlocks == 5)
    }

    @Test("passes over holes and ends at the end of a file")
    func holes() throws {
        let flist = try TestFlist(4 * 4096, holes: [1, 2])
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache")
        let prefetcher = Prefetcher(fixture.reader)
        prefetcher.run([ContentSpan(inode: try flist.inode(0), blocks: 1..<9)])
        #expect(store.asked == [try flist.id(3)])
        #expect(prefetcher.progress.fetched == 1)
    }

    @Test("what somebody waits for is asked for before it")
    func demandFirst() throws {
        let flist = try TestFlist(64 * 4096, 100)
        let store = GateStore(flist, isOpen: false)
        var options = FetcherOptions()
        options.window = 1
        options.smallBlockWindow = 4
        let fixture = try ReaderFixture(flist, from: store, cache: "\(folder.path)/cache", options: options)
        let prefetcher = Prefetcher(fixture.reader)
        let spans = try spans(fixture, 0)
        let thread = try WorkerThread("prefetch") { prefetcher.run(spans) }
        #expect(store.wait(forRequests: 1))
        #expect(eventually { fixture.fetcher.statistics.queued[.prefetch] ?? 0 > 50 })
        let before = store.asked.count
        let read = PendingRead()
        try fixture.file(1).read(0..<100) { read.end($0) }
        store.open()
        #expect(try read.bytes() == flist.contents[1])
        thread.join()
        let place = try #require(store.asked.firstIndex(of: flist.id(0, of: 1)))
        #expect(place <= before + 1)
        #expect(store.asked.count == 65)
    }

    @Test("counts what cannot be had, names the first, and gives up when nothing comes any more")
    func failures() throws {
        let flist = try TestFlist(100 * 4096, 100)
        let empty = GateStore(try TestFlist(1))
        let fixture = try ReaderFixture(flist, from: empty, cache: "\(folder.path)/cache")
        let prefetcher = Prefetcher(fixture.reader, patience: 1000)
        prefetcher.run(try spans(fixture, 1))
        prefetcher.run(try spans(fixture, 0))
        #expect(prefetcher.progress.failed == 101)
        #expect(prefetcher.progress.failure?.inode == (try flist.inode(1)))
        #expect(!prefetcher.progress.hasGivenUp)
        let impatient = Prefetcher(fixture.reader, patience: 3)
        impatient.run(try spans(fixture, 0))
        #expect(impatient.progress.hasGivenUp)
    }

    @Test("ends when it is told to, though nothing has come")
    func stop() throws {
        let flist = try TestFlist(64 * 4096)
        let fixture = try ReaderFixture(
            flist, from: GateStore(flist, isOpen: false), cache: "\(folder.path)/cache")
        let prefetcher = Prefetcher(fixture.reader)
        let spans = try spans(fixture, 0)
        let thread = try WorkerThread("prefetch") { prefetcher.run(spans) }
        prefetcher.stop()
        thread.join()
        #expect(prefetcher.progress.fetched == 0)
    }

    @Test("without a cache it ends at once instead of fetching all for nothing")
    func noCache() throws {
        let flist = try TestFlist(8 * 4096)
        let store = GateStore(flist)
        let fixture = try ReaderFixture(flist, from: store)
        let prefetcher = Prefetcher(fixture.reader)
        prefetcher.run(try spans(fixture, 0))
        #expect(prefetcher.progress.isCacheFull && prefetcher.progress.fetched == 0)
    }

    @Test("a tree's files come once each, in the order of their paths")
    func tree() throws {
        let flist = try TestFlist(10, 4096 * 2, 0)
        var tree = PrefetchTree(flist.index)
        tree.add(try flist.inode(1))
        tree.add(TreeIndex.root)
        #expect(tree.files == [try flist.inode(1), try flist.inode(0), try flist.inode(2)])
        #expect(tree.bytes == 8192 + 10)
    }
}
