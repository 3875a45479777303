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

@Suite("Packing tar files", .enabled(if: geteuid() == 0, "needs root"))
struct TarPackTests {
    /// Sockets do not go into a tar file.
    private func tree(_ packing: Packing) throws {
        try RandomTree.make(in: packing.source, seed: 21, count: 150, blockSize: 16384)
        try packing.run("find", packing.source, "-type", "s", "-delete")
        // libarchive 3.6 loses the sign of times between 1969 and 1970 that have a fraction.
        try packing.run(
            "find", packing.source, "-depth", "-not", "-newermt", "1971-01-01", "-exec", "touch", "-h", "-d",
            "1980-01-02 03:04:05.678 UTC", "{}", "+")
    }

    @Test(
        "gives the same as the folder, whatever the compression", .timeLimit(.minutes(5)),
        arguments: ["--no-auto-compress", "--zstd", "--gzip", "--xz"])
    func pax(compression: String) throws {
        let packing = try Packing()
        try tree(packing)
        let flag = compression == "--no-auto-compress" ? "--no-auto-compress" : compression
        try packing.run(
            "tar", "-C", packing.source, "--format=pax", "--xattrs", "--xattrs-include=*", "--sparse", flag, "-cf",
            packing.path("in.tar"), ".")
        var options = try packing.options("out.fl", packing.path("in.tar"))
        options.blockSize = 16384
        let notices = Packing.Notices()
        let summary = try packing.pack(options, notices)
        #expect(notices.all == [])
        #expect(summary.failed == 0)
        #expect(try packing.unpack().failed == 0, "\(packing.unpackNotices)")
        let expected = try Manifest(of: packing.source)
        let differences = try Manifest(of: packing.path("target")).differences(from: expected)
        #expect(differences == [])
    }

    @Test("reads GNU tar files", .timeLimit(.minutes(5)))
    func gnu() throws {
        let packing = try Packing()
        try tree(packing)
        try packing.run("tar", "-C", packing.source, "--format=gnu", "-cf", packing.path("in.tar"), ".")
        try packing.pack(packing.options("out.fl", packing.path("in.tar")))
        try packing.unpack()
        // That format holds neither xattrs nor fractions of seconds.
        var (found, expected) = (try Manifest(of: packing.path("target")), try Manifest(of: packing.source))
        for path in Array(expected.entries.keys) { expected.entries[path]?.xattrs = [:] }
        for path in Array(expected.entries.keys) { expected.entries[path]?.mtime[1] = 0 }
        for path in Array(found.entries.keys) { found.entries[path]?.mtime[1] = 0 }
        #expect(found.differences(from: expected) == [])
    }

    @Test("takes the last of members of one name, and makes folders that are only implied")
    func duplicates() throws {
        let packing = try Packing()
        try packing.run("mkdir", "-p", packing.path("source/a/b"))
        try packing.write("one", "source/a/b/f")
        try packing.run("tar", "-C", packing.source, "-cf", packing.path("in.tar"), "a/b/f")
        try packing.write("second", "source/a/b/f")
        try packing.run("tar", "-C", packing.source, "-rf", packing.path("in.tar"), "a/b/f")
        let summary = try packing.pack(packing.options("out.fl", packing.path("in.tar")))
        #expect(summary.entries == 4)
        #expect(summary.bytes == 6)
        try packing.unpack()
        #expect(FileManager.default.contents(atPath: packing.path("target/a/b/f")) == Data("second".utf8))
    }

    @Test("refuses members that lead out of the tree or behind a symlink, and takes the rest")
    func hostile() throws {
        let packing = try Packing()
        try packing.write("x", "source/good")
        try packing.run("ln", "-s", "/etc", packing.path("source/link"))
        try packing.run("tar", "-C", packing.source, "-P", "-cf", packing.path("in.tar"), "link", "good")
        try packing.run(
            "tar", "-C", packing.source, "-P", "--transform=s,good,../../evil,", "-rf", packing.path("in.tar"), "good")
        try packing.run(
            "tar", "-C", packing.source, "-P", "--transform=s,good,link/evil,", "-rf", packing.path("in.tar"), "good")
        try packing.run(
            "tar", "-C", packing.source, "-P", "--transform=s,good,/abs/file,", "-rf", packing.path("in.tar"), "good")
        let notices = Packing.Notices()
        let tar = packing.path("in.tar")
        let summary = try packing.pack(packing.options("out.fl", tar), notices)
        #expect(
            notices.all == [
                .failure("\(tar)/../../evil: leads out of the archive; left out"),
                .failure("\(tar)/link/evil: lies behind what is no directory in the archive; left out"),
            ])
        #expect(summary.failed == 2)
        let index = try packing.open().index
        let paths = (1...index.lastNumber).map { String(decoding: index.path(of: $0), as: UTF8.self) }
        #expect(paths.sorted() == ["/", "/abs", "/abs/file", "/good", "/link"])
    }

    @Test("refuses a member that says that it is larger than anything, before there is memory for its blocks")
    func hugeMember() throws {
        let packing = try Packing()
        // A header of ustar: the size as tar writes what does not fit in octal digits, 2^58 in base 256.
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        put("huge", at: 0)
        for (text, offset) in [("0000644\0", 100), ("0000000\0", 108), ("0000000\0", 116), ("00000000000\0", 136)] {
            put(text, at: offset)
        }
        header.replaceSubrange(124..<136, with: [0x80, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0])
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar\u{0}00", at: 257)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
        try Data(header + [UInt8](repeating: 0, count: 1024)).write(to: URL(fileURLWithPath: packing.path("in.tar")))
        let error = #expect(throws: FlistError.self) {
            try packing.pack(packing.options("out.fl", packing.path("in.tar")))
        }
        #expect(
            error?.message
                == "\(packing.path("in.tar"))/huge: 256.0 PiB are too many for blocks of 512.0 KiB; use a larger --block-size"
        )
    }

    @Test("refuses what is no tar file")
    func garbage() throws {
        let packing = try Packing()
        try packing.write(String(repeating: "no tar file ", count: 1000), "in.tar")
        let error = #expect(throws: FlistError.self) {
            try packing.pack(packing.options("out.fl", packing.path("in.tar")))
        }
        #expect(error?.description.contains("in.tar") == true)
        #expect(!FileManager.default.fileExists(atPath: packing.path("out.fl")))
    }
}
