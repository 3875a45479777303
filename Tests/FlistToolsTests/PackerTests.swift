import BlockStore
import BlockCodec
import FlistContent
import FlistImage
import FlistTools
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Packer")
struct PackerTests {
    @Test("stores a block that occurs again once, and counts exactly")
    func deduplication() throws {
        let packing = try Packing()
        let block = Data((0..<(512 << 10)).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        for name in ["a", "b", "c"] {
            try (block + block + Data(name.utf8)).write(to: URL(fileURLWithPath: packing.path("source/\(name)")))
        }
        try packing.run("ln", packing.path("source/a"), packing.path("source/link"))
        let summary = try packing.pack(packing.options())
        #expect(summary.blocks == 9)
        #expect(summary.distinctBlocks == 4)
        #expect(summary.distinctBytes == 512 << 10 + 3)
        #expect(summary.bytes == 3 * (1 << 20 + 1))
        #expect(summary.entries == 5)
        #expect(summary.files == 3)
        #expect(summary.hardLinks == 1)
        #expect(packing.storedBlocks.count == 4)
        let stored = try packing.storedBlocks.reduce(0) {
            try $0 + (FileManager.default.attributesOfItem(atPath: packing.blocks + "/" + $1)[.size] as? Int ?? 0)
        }
        #expect(UInt64(stored) == summary.storedBytes)
    }

    @Test("packs files that are more together than is encoded together, and ends of files with the next one's start")
    func batches() throws {
        let packing = try Packing()
        // 40 files of a block and a part of one: 4 MiB end within one of them.
        try packing.run(
            "bash", "-c", "for n in {1..40}; do head -c $((600000 + n)) /dev/urandom > \"$0/$n\"; done", packing.source)
        try packing.run("bash", "-c", "truncate -s 9M \"$0/hole\" && printf end >> \"$0/hole\"", packing.source)
        for jobs in [1, 3] {
            var options = try packing.options("\(jobs).fl")
            options.jobs = jobs
            let summary = try packing.pack(options)
            #expect(summary.files == 41)
            #expect(summary.bytes == 40 * 600_000 + 820 + 9 << 20 + 3)
            try packing.unpack("\(jobs).fl", into: "target-\(jobs)")
            try packing.run("diff", "-r", packing.source, packing.path("target-\(jobs)"))
        }
    }

    @Test("packs an empty folder")
    func empty() throws {
        let packing = try Packing()
        let summary = try packing.pack(packing.options())
        #expect(summary.entries == 1)
        #expect(try packing.open().index.summary.entries == 1)
    }

    @Test("leaves out what excludes name, at any depth or by path")
    func excludes() throws {
        let packing = try Packing()
        try packing.run(
            "mkdir", "-p", packing.path("source/a/cache"), packing.path("source/b/cache"), packing.path("source/doc"))
        for name in ["a/x.o", "a/x.c", "b/cache/f", "a/cache/f", "doc/x.o", "cache"] {
            try packing.write(name, "source/\(name)")
        }
        var options = try packing.options()
        options.excludes = try ["*.o", "a/cache", "cache/"].map { try ExcludePattern(parsing: $0) }
        let summary = try packing.pack(options)
        let index = try packing.open().index
        let paths = (1...index.lastNumber).map { String(decoding: index.path(of: $0), as: UTF8.self) }
        #expect(paths.sorted() == ["/", "/a", "/a/x.c", "/b", "/cache", "/doc"])
        #expect(summary.excluded == 4)
    }

    @Test(
        "matches paths as .gitignore does",
        arguments: [
            ("*.o", "a/b.o", true), ("*.o", "a.o/b", true), ("/a", "a", true), ("/a", "b/a", false),
            ("a/*", "a/b", true), ("a/*", "a/b/c", true), ("a/*.c", "a/b/x.c", false), ("**.c", "a/b/x.c", true),
            ("a/**", "a/b/c", true), ("x?", "d/xy", true),
            ("[ab]c", "bc", true), ("a", "ab", false),
        ])
    func patterns(glob: String, path: String, expected: Bool) throws {
        let packing = try Packing()
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        try packing.run("mkdir", "-p", packing.path("source/\(parent)"))
        try packing.write("", "source/\(path)")
        var options = try packing.options()
        options.excludes = [try ExcludePattern(parsing: glob)]
        try packing.pack(options)
        #expect((try packing.open().index.resolve(path: Array(path.utf8)) == nil) == expected)
    }

    @Test("tells of a file that changes all the time, and packs what it read")
    func changing() throws {
        let packing = try Packing()
        let path = packing.path("source/log")
        try packing.run("dd", "if=/dev/urandom", "of=\(path)", "bs=1M", "count=16")
        let stop = Monitor(false)
        let writer = try WorkerThread("writer") {
            while !stop.withLock({ $0 }) {
                guard let file = fopen(path, "a") else { return }
                fputs("more\n", file)
                fclose(file)
            }
        }
        let notices = Packing.Notices()
        let summary: PackSummary
        do {
            defer {
                stop.withLock { $0 = true }
                writer.join()
            }
            summary = try packing.pack(packing.options(), notices)
        }
        #expect(summary.changed == 1)
        #expect(notices.all == [.warning("\(path): changed while it was read, twice; packed as it was read")])
        #expect(try packing.unpack().failed == 0)
        let (found, now) = (
            FileManager.default.contents(atPath: packing.path("target/log")), FileManager.default.contents(atPath: path)
        )
        #expect(try now?.starts(with: #require(found)) == true)
        #expect(found?.count ?? 0 > 16 << 20)
    }

    @Test("leaves out what is in the way of itself: its own output and store")
    func own() throws {
        let packing = try Packing()
        try packing.write("x", "source/file")
        var options = PackOptions(source: packing.source, output: packing.path("source/out.fl"))
        options.stores = [try StoreRoute(parsing: "dir://\(packing.path("source/blocks"))")]
        try packing.pack(options)
        let notices = Packing.Notices()
        let summary = try packing.pack(options, notices)
        #expect(summary.entries == 2)
        #expect(
            Set(notices.all) == [
                .warning("\(packing.path("source/blocks")): is written by this command; left out"),
                .warning("\(packing.path("source/out.fl")): is written by this command; left out"),
            ])
    }

    @Test("makes no flist when a store fails, and names the store")
    func storeFails() throws {
        let packing = try Packing()
        for number in 0..<50 { try packing.write("content \(number)", "source/\(number)") }
        try packing.write("in the way", "blocks")
        try packing.write("old", "out.fl")
        let error = #expect(throws: FlistError.self) { try packing.pack(packing.options()) }
        #expect(error?.description.contains(packing.blocks) == true, "\(error?.description ?? "")")
        #expect(FileManager.default.contents(atPath: packing.path("out.fl")) == Data("old".utf8))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: packing.folder).sorted() == [
                "blocks", "out.fl", "source",
            ])
    }

    @Test("refuses stores that do not take every block")
    func gap() throws {
        let packing = try Packing()
        var options = try packing.options()
        options.stores = [try StoreRoute(parsing: "00-7f=dir://\(packing.blocks)")]
        let error = #expect(throws: FlistError.self) { try packing.pack(options) }
        #expect(error?.message == "no store takes the blocks whose ids begin with 80; name one")
        #expect(error?.code == .usage)
    }

    @Test("records routes without passwords, unless told to")
    func passwords() throws {
        let packing = try Packing()
        var options = try packing.options()
        let url = "zdb://user:secret@localhost:1/space"
        // Nothing to store: the store is never asked.
        options.stores = [try StoreRoute(parsing: "00-7f=\(url)"), try StoreRoute(parsing: "80-ff=\(url)")]
        try packing.pack(options)
        #expect(
            try packing.open().index.routes.map(\.url) == [
                "zdb://user@localhost:1/space", "zdb://user@localhost:1/space",
            ])
        options.keepPasswords = true
        try packing.pack(options)
        #expect(try packing.open().index.routes.first == ImageRoute(start: 0, end: 0x7f, url: url))
    }

    @Test("tells and counts what cannot be read, and packs the rest", .enabled(if: geteuid() == 0, "needs root"))
    func unreadable() throws {
        let packing = try Packing()
        try packing.write("x", "source/good")
        // A file that even root cannot open for reading: sysfs grants no more than the mode says.
        try packing.run("touch", packing.path("source/bad"))
        try packing.run("mount", "--bind", "/sys/bus/platform/drivers_probe", packing.path("source/bad"))
        defer { _ = try? packing.run("umount", packing.path("source/bad")) }
        let notices = Packing.Notices()
        let summary = try packing.pack(packing.options(), notices)
        #expect(summary.failed == 1)
        #expect(summary.entries == 2)
        #expect(notices.all.count == 1)
        #expect(try packing.open().index.resolve(path: Array("bad".utf8)) == nil)
        #expect(try packing.open().index.resolve(path: Array("good".utf8)) != nil)
    }
}
