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

@Suite("Unpacker")
struct UnpackerTests {
    @Test("refuses a folder that is not empty, and takes it when forced")
    func notEmpty() throws {
        let packing = try Packing()
        try packing.write("new", "source/file")
        try packing.pack(packing.options())
        try packing.run("mkdir", packing.path("target"))
        try packing.write("old and longer", "target/file")
        try packing.write("kept", "target/other")
        let error = #expect(throws: FlistError.self) { try packing.unpack() }
        #expect(error?.code == .exists)
        #expect(FileManager.default.contents(atPath: packing.path("target/file")) == Data("old and longer".utf8))
        #expect(try packing.unpack(force: true).failed == 0)
        #expect(FileManager.default.contents(atPath: packing.path("target/file")) == Data("new".utf8))
        #expect(FileManager.default.contents(atPath: packing.path("target/other")) == Data("kept".utf8))
    }

    @Test("does not write through a symlink that lies in the target")
    func symlink() throws {
        let packing = try Packing()
        try packing.run("mkdir", packing.path("source/etc"), packing.path("target"), packing.path("victim"))
        try packing.write("x", "source/etc/passwd")
        try packing.run("ln", "-s", packing.path("victim"), packing.path("target/etc"))
        try packing.pack(packing.options())
        #expect(try packing.unpack(force: true).failed == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: packing.path("victim")) == [])
        #expect(FileManager.default.contents(atPath: packing.path("target/etc/passwd")) == Data("x".utf8))
    }

    @Test("makes no file of which a block is missing or wrong, under none of its names, and goes on")
    func missingBlocks() throws {
        let packing = try Packing()
        for name in ["bad", "good"] { try packing.write("content of \(name)", "source/\(name)") }
        try packing.run("ln", packing.path("source/bad"), packing.path("source/bad2"))
        try packing.pack(packing.options())
        let index = try packing.open().index
        let entry = try #require(index.resolve(path: Array("bad".utf8)))
        let block = try #require(index.blocks(of: entry)?[0])
        let stored = try #require(packing.storedBlocks.first { $0.hasSuffix(block.id.description) })
        try packing.write("not the block", "blocks/\(stored)")
        let summary = try packing.unpack()
        #expect(summary.failed == 1)
        guard case .failure(let line) = packing.unpackNotices.first else {
            Issue.record("nothing was told")
            return
        }
        #expect(line.hasPrefix("/bad"))
        #expect(line.contains(block.id.description))
        #expect(try FileManager.default.contentsOfDirectory(atPath: packing.path("target")) == ["good"])
    }
}
