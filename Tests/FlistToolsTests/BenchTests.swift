import BlockStore
import FlistContent
import FlistTools
import Foundation
import Support
import TestSupport
import Testing

@Suite("Benchmarks of stores and trees")
struct BenchTests {
    /// Three different blocks of 5, 8 and 6 bytes in four files.
    private func packed(_ store: String? = nil) throws -> Packing {
        let packing = try Packing()
        try packing.run("mkdir", packing.path("source/d"))
        for (name, content) in [("a", "hello"), ("d/b", "12345678"), ("d/again", "hello"), ("c", "foobar")] {
            try packing.write(content, "source/\(name)")
        }
        var options = try packing.options()
        if let store { options.stores = [try StoreRoute(parsing: store)] }
        try packing.pack(options)
        return packing
    }

    @Test("fetches as many blocks as asked for, decoded and stored, from redis", arguments: [1, 4, 100])
    func fetch(concurrency: Int) throws {
        let redis = try RedisServer()
        let packing = try packed("redis://127.0.0.1:\(redis.port)")
        let flist = try packing.open()
        defer { flist.close() }
        let bench = FetchBench(flist.index, flist.fetcher, flist.router)
        #expect(bench.blocks.count == 3)
        let progress = BenchProgress()
        let decoded = try bench.run(
            .decoded, concurrency: concurrency, limit: BenchLimit(duration: nil, count: 30), progress: progress)
        #expect(decoded.count == 30 && decoded.failed == 0 && decoded.latencies.count == 30)
        // Ten times each.
        #expect(decoded.bytes == 190 && progress.bytes == 190 && progress.count == 30)
        let stored = try bench.run(.stored, concurrency: concurrency, limit: BenchLimit(duration: nil, count: 30))
        // As the store has them: encrypted, with a nonce and a tag.
        let lengths = try bench.blocks.map { block in
            try redis.length(of: block.id.bytes)
        }
        #expect(stored.count == 30 && stored.failed == 0)
        #expect(stored.bytes == UInt64(lengths.reduce(0, +) * 10))
    }

    @Test("makes one round without a limit, and counts what fails with the first reason")
    func failures() throws {
        let packing = try packed()
        let flist = try packing.open()
        defer { flist.close() }
        let bench = FetchBench(flist.index, flist.fetcher, flist.router)
        #expect(try bench.run(.stored, concurrency: 2, limit: BenchLimit(duration: nil, count: nil)).count == 3)
        try packing.run("rm", packing.path("blocks/\(#require(packing.storedBlocks.first))"))
        for form in [FetchBench.Form.decoded, .stored] {
            let figures = try bench.run(form, concurrency: 2, limit: BenchLimit(duration: nil, count: 9))
            #expect(figures.count == 6 && figures.failed == 3)
            #expect(figures.failure?.contains("block") == true, "\(figures.failure ?? "")")
        }
    }

    @Test("refuses a flist without blocks")
    func empty() throws {
        let packing = try Packing()
        try packing.pack(packing.options())
        let flist = try packing.open()
        defer { flist.close() }
        let bench = FetchBench(flist.index, flist.fetcher, flist.router)
        #expect(throws: FlistError.self) {
            try bench.run(.decoded, concurrency: 1, limit: BenchLimit(duration: nil, count: 1))
        }
    }

    @Test("decodes every different content once, writes it, and takes the files away again")
    func decode() throws {
        let packing = try packed()
        let flist = try packing.open()
        defer { flist.close() }
        let bench = DecodeBench(flist.index)
        let loaded = BenchProgress()
        try bench.load(from: flist.router, budget: 1 << 20, progress: loaded)
        #expect(loaded.count == 3)
        let folder = packing.path("decoded")
        let figures = try bench.run(threads: 2, into: folder)
        #expect(figures.count == 3 && figures.bytes == 19 && figures.failed == 0)
        let texts = try (0..<3).map { try String(contentsOfFile: "\(folder)/0/\($0)", encoding: .utf8) }
        // The largest first.
        #expect(texts == ["12345678", "foobar", "hello"])
        bench.removeFiles(in: folder)
        #expect(Folder.names(in: folder).isEmpty)
        #expect(try bench.run(threads: 1, into: nil).bytes == 19)
    }

    @Test("does not load more than it may")
    func budget() throws {
        let packing = try packed()
        let flist = try packing.open()
        defer { flist.close() }
        #expect { try DecodeBench(flist.index).load(from: flist.router, budget: 10) } throws: { error in
            "\(error)" == "the blocks are more than 10 B; --memory lets more of it be used"
        }
    }

    @Test("reads every byte of a tree in sequence, and as often as asked for by chance", arguments: [1, 3])
    func read(concurrency: Int) throws {
        let packing = try packed()
        let bench = try ReadBench(packing.source)
        #expect(bench.fileCount == 4 && bench.bytes == 24 && !bench.isPart)
        let unlimited = BenchLimit(duration: nil, count: nil)
        let all = try bench.run(.sequential, size: 4, concurrency: concurrency, limit: unlimited)
        // Two reads for each file, of 4 bytes and of the rest.
        #expect(all.count == 8 && all.bytes == 24 && all.failed == 0)
        let three = try bench.run(
            .sequential, size: 4, concurrency: concurrency, limit: BenchLimit(duration: nil, count: 3))
        #expect(three.count == 3)
        let random = try bench.run(
            .random, size: 1, concurrency: concurrency, limit: BenchLimit(duration: nil, count: 100))
        #expect(random.count == 100 && random.bytes == 100 && random.latencies.count == 100)
        let one = try ReadBench(packing.path("source/d/b"))
        #expect(try one.run(.sequential, size: 1 << 20, concurrency: 1, limit: unlimited).bytes == 8)
    }

    @Test("counts what cannot be read, and refuses a tree without bytes")
    func unreadable() throws {
        let packing = try packed()
        let bench = try ReadBench(packing.source)
        try packing.run("rm", packing.path("source/c"))
        let figures = try bench.run(
            .sequential, size: 1 << 20, concurrency: 1, limit: BenchLimit(duration: nil, count: nil))
        #expect(figures.count == 3 && figures.failed == 1)
        #expect(figures.failure == "\(packing.source)/c: No such file or directory")
        try packing.run("mkdir", packing.path("none"))
        #expect { try ReadBench(packing.path("none")) } throws: { error in
            "\(error)" == "\(packing.path("none")): no file there has bytes to read"
        }
    }

    @Test("walks over every entry once, those of other file systems left out")
    func walk() throws {
        let packing = try packed()
        try packing.run("ln", "-s", "nowhere", packing.path("source/link"))
        let figures = try WalkBench.run(packing.source)
        #expect(figures.count == 6 && figures.latencies.count == 6)
        #expect(try WalkBench.run(packing.source, descends: false).count == 4)
        #expect(throws: FlistError.self) { try WalkBench.run(packing.path("nosuch")) }
    }
}
