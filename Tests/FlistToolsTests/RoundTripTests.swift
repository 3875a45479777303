import BlockCodec
import BlockStore
import FlistContent
import FlistImage
import FlistTools
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Packing and unpacking random trees", .enabled(if: geteuid() == 0, "needs root"))
struct PackRoundTripTests {
    @Test("gives everything back as it was", .timeLimit(.minutes(5)), arguments: UInt64(1)...4)
    func zstd(seed: UInt64) throws {
        let packing = try Packing()
        try RandomTree.make(in: packing.source, seed: seed, count: 250, blockSize: 16384)
        var options = try packing.options()
        options.blockSize = 16384
        let summary = try packing.pack(options)
        let unpacked = try packing.unpack()
        #expect(unpacked.failed == 0, "\(packing.unpackNotices)")
        #expect(unpacked.entries == UInt64(summary.entries))
        let expected = try Manifest(of: packing.source)
        let found = try Manifest(of: packing.path("target"))
        #expect(found.differences(from: expected) == [])
        #expect(expected.entries.count == summary.entries)
    }

    @Test("keeps with the rfs codec what that format holds", .timeLimit(.minutes(5)))
    func rfs() throws {
        let packing = try Packing()
        try RandomTree.make(in: packing.source, seed: 9, count: 120)
        // Names that are not UTF-8 cannot be held.
        try packing.run("bash", "-c", "LC_ALL=C find '\(packing.source)' -depth -name '*'$'\\xff''*' -exec rm -rf {} +")
        var options = try packing.options()
        options.format = .rfs
        try packing.pack(options)
        #expect(try packing.unpack().failed == 0, "\(packing.unpackNotices)")
        let found = try Manifest(of: packing.path("target"), .rfs)
        #expect(found.differences(from: try Manifest(of: packing.source, .rfs)) == [])
        let index = try packing.open().index
        #expect(index.summary.kind == .rfs)
        #expect(index.summary.codec == .gcmSnappy)
    }

    @Test("keeps holes as holes")
    func holes() throws {
        let packing = try Packing()
        try packing.run("truncate", "-s", "64M", packing.path("source/sparse"))
        try packing.run(
            "dd", "if=/dev/urandom", "of=\(packing.path("source/sparse"))", "bs=4096", "count=1", "seek=4096",
            "conv=notrunc")
        let summary = try packing.pack(packing.options())
        #expect(summary.holes == 127)
        #expect(summary.blocks == 1)
        try packing.unpack()
        var status = stat()
        #expect(lstat(packing.path("target/sparse"), &status) == 0)
        #expect(status.st_size == 64 << 20)
        #expect(status.st_blocks <= 1024)
        #expect(try Manifest(of: packing.path("target")) == Manifest(of: packing.source))
    }

    @Test("makes the same flist of the same tree")
    func determinism() throws {
        let packing = try Packing()
        try RandomTree.make(in: packing.source, seed: 5, count: 100)
        try packing.pack(packing.options("one.fl"))
        var options = try packing.options("two.fl")
        options.jobs = 1
        try packing.pack(options)
        #expect(
            FileManager.default.contents(atPath: packing.path("one.fl"))
                == FileManager.default.contents(atPath: packing.path("two.fl")))
    }
}
