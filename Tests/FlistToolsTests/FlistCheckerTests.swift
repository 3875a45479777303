import BlockCodec
import BlockStore
import FlistContent
import FlistImage
import FlistTools
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Flist checker")
struct FlistCheckerTests {
    @Test("counts distinct blocks, and finds missing and wrong ones with their files")
    func findsBadBlocks() throws {
        let packing = try Packing()
        try packing.run("mkdir", packing.path("source/d"))
        for (name, content) in [("a", "same"), ("d/b", "same"), ("c", "gone"), ("e", "fine")] {
            try packing.write(content, "source/\(name)")
        }
        try packing.pack(packing.options())
        let flist = try packing.open()
        defer { flist.close() }
        let supply = BlockSupply(flist.fetcher, flist.router)
        let good = FlistChecker(flist.index, supply).run()
        #expect(good.isGood)
        #expect(good.blocks == 3)
        #expect(good.bytes == 12)

        func id(_ path: String) throws -> Digest {
            try #require(flist.index.resolve(path: Array(path.utf8)).flatMap { flist.index.blocks(of: $0)?[0]?.id })
        }
        let (same, gone) = (try id("a"), try id("c"))
        let stored = packing.storedBlocks
        try packing.write("wrong", "blocks/\(#require(stored.first { $0.hasSuffix(same.description) }))")
        try packing.run("rm", packing.path("blocks/\(#require(stored.first { $0.hasSuffix(gone.description) }))"))
        let checker = FlistChecker(flist.index, supply)
        let report = checker.run()
        #expect(!report.isGood)
        #expect(report.blocks == 3)
        #expect(checker.progress.items == 3)
        #expect(Set(report.bad.map(\.id)) == [same, gone])
        #expect(report.bad.first { $0.id == same }?.files == [Array("/a".utf8), Array("/d/b".utf8)])
        #expect(report.bad.first { $0.id == gone }?.files == [Array("/c".utf8)])
    }
}
