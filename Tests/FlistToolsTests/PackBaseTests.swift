import BlockStore
import FlistImage
import FlistTools
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Packing with a base")
struct PackBaseTests {
    /// A tree whose files are a day old.
    private static func tree() throws -> Packing {
        let packing = try Packing()
        for folder in ["a", "a/b", "c"] { try packing.run("mkdir", packing.path("source/\(folder)")) }
        for name in ["one", "a/two", "a/b/three", "c/four"] {
            try packing.write("content of \(name)", "source/\(name)")
        }
        try packing.run("truncate", "-s", "3M", packing.path("source/c/sparse"))
        try packing.run("touch", packing.path("source/empty"))
        try packing.run("ln", packing.path("source/one"), packing.path("source/c/link"))
        try packing.run("setfattr", "-n", "user.a", "-v", "old", packing.path("source/a/two"))
        try age(packing)
        return packing
    }

    /// Gives all files a time long past, with nanoseconds.
    private static func age(_ packing: Packing) throws {
        try packing.run(
            "find", packing.source, "-type", "f", "-exec", "touch", "-d", "2024-05-06 07:08:09.123456789", "{}", "+")
    }

    private static func options(_ packing: Packing, _ output: String, base: String) throws -> PackOptions {
        var options = try packing.options(output)
        options.base = try PackBase(packing.path(base))
        return options
    }

    private static func bytes(_ packing: Packing, _ name: String) -> Data? {
        FileManager.default.contents(atPath: packing.path(name))
    }

    @Test("opens no file that has not changed, and makes the same flist")
    func unchanged() throws {
        let packing = try Self.tree()
        try packing.pack(packing.options("old.fl"))
        let watch = try OpenWatch(packing.source)
        let summary = try packing.pack(Self.options(packing, "new.fl", base: "old.fl"))
        #expect(watch.files() == [])
        #expect(summary.baseFiles == 6)
        #expect(summary.files == 6)
        #expect(summary.baseBytes == summary.bytes)
        #expect(summary.newBytes == 0)
        #expect(summary.storedBytes == 0)
        #expect(summary.distinctBlocks == 4)
        #expect(Self.bytes(packing, "new.fl") == Self.bytes(packing, "old.fl"))
        // The watch sees what is opened, or the test says nothing.
        try packing.pack(packing.options("full.fl"))
        #expect(watch.files() == ["empty", "four", "link", "sparse", "three", "two"])
    }

    @Test("reads what has another size or time, and what has taken another's name")
    func changed() throws {
        let packing = try Self.tree()
        try packing.pack(packing.options("old.fl"))
        try packing.write("CONTENT of a/two", "source/a/two")
        try packing.write("longer than it was before", "source/c/four")
        try packing.run("touch", "-d", "2024-05-06 07:08:09.123456789", packing.path("source/c/four"))
        try packing.run("mv", packing.path("source/a/b/three"), packing.path("source/a/b/renamed"))
        try packing.write("new", "source/new")
        let watch = try OpenWatch(packing.source)
        let summary = try packing.pack(Self.options(packing, "new.fl", base: "old.fl"))
        #expect(watch.files() == ["four", "new", "renamed", "two"])
        #expect(summary.baseFiles == 3)
        // The renamed file's block is there already.
        #expect(summary.newBytes == 16 + 25 + 3)
        try packing.pack(packing.options("full.fl"))
        #expect(Self.bytes(packing, "new.fl") == Self.bytes(packing, "full.fl"))
        #expect(try packing.unpack("new.fl").failed == 0, "\(packing.unpackNotices)")
        #expect(try Manifest(of: packing.path("target")) == Manifest(of: packing.source))
    }

    @Test("takes owner, mode, attributes and names of today without reading the file")
    func attributes() throws {
        let packing = try Self.tree()
        try packing.pack(packing.options("old.fl"))
        try packing.run("chmod", "4711", packing.path("source/a/two"))
        try packing.run("setfattr", "-n", "user.a", "-v", "new", packing.path("source/a/two"))
        try packing.run("rm", packing.path("source/c/link"))
        try packing.run("ln", packing.path("source/c/four"), packing.path("source/z"))
        let watch = try OpenWatch(packing.source)
        let summary = try packing.pack(Self.options(packing, "new.fl", base: "old.fl"))
        #expect(watch.files() == [])
        #expect(summary.baseFiles == 6)
        #expect(summary.hardLinks == 1)
        try packing.pack(packing.options("full.fl"))
        #expect(Self.bytes(packing, "new.fl") == Self.bytes(packing, "full.fl"))
    }

    @Test("asks for the time of the last change of status too, when told to")
    func statusChange() throws {
        let packing = try Self.tree()
        try packing.pack(packing.options("old.fl"))
        try packing.write("CONTENT of a/two", "source/a/two")
        try packing.run("touch", "-d", "2024-05-06 07:08:09.123456789", packing.path("source/a/two"))
        var options = try packing.options("new.fl")
        options.base = try PackBase(packing.path("old.fl"))
        #expect(try packing.pack(options).baseFiles == 6)
        options.base = try PackBase(packing.path("old.fl"), time: .statusChange)
        let watch = try OpenWatch(packing.source)
        #expect(try packing.pack(options).baseFiles == 5)
        #expect(watch.files() == ["two"])
        try packing.pack(packing.options("full.fl"))
        #expect(Self.bytes(packing, "new.fl") == Self.bytes(packing, "full.fl"))
    }

    @Test("reads and stores again what a store has lost, and fills a store that has nothing")
    func missingBlocks() throws {
        let packing = try Self.tree()
        try packing.pack(packing.options("old.fl"))
        let lost = try #require(packing.storedBlocks.min())
        try FileManager.default.removeItem(atPath: "\(packing.blocks)/\(lost)")
        let summary = try packing.pack(Self.options(packing, "new.fl", base: "old.fl"))
        #expect(summary.baseFiles == 5)
        #expect(summary.storedBytes > 0)
        #expect(packing.storedBlocks.contains(lost))
        #expect(Self.bytes(packing, "new.fl") == Self.bytes(packing, "old.fl"))
        var options = try Self.options(packing, "other.fl", base: "old.fl")
        options.stores = [
            try StoreRoute(parsing: "dir://\(packing.blocks)"),
            try StoreRoute(parsing: "dir://\(packing.path("second"))"),
        ]
        // Files without blocks need no store.
        #expect(try packing.pack(options).baseFiles == 2)
        try packing.run("rm", "-r", packing.blocks)
        #expect(try packing.unpack("other.fl").failed == 0, "\(packing.unpackNotices)")
        #expect(try Manifest(of: packing.path("target")) == Manifest(of: packing.source))
    }

    @Test("asks redis for the blocks of a base")
    func redis() throws {
        let packing = try Self.tree()
        let server = try RedisServer()
        var options = try packing.options("old.fl")
        options.stores = [try StoreRoute(parsing: "zdb://127.0.0.1:\(server.port)")]
        try packing.pack(options)
        options.output = packing.path("new.fl")
        options.base = try PackBase(packing.path("old.fl"))
        #expect(try packing.pack(options).baseFiles == 6)
        #expect(Self.bytes(packing, "new.fl") == Self.bytes(packing, "old.fl"))
        try server.command(["FLUSHALL"])
        #expect(try packing.pack(options).baseFiles == 2)
        #expect(try packing.unpack("new.fl").failed == 0, "\(packing.unpackNotices)")
    }

    @Test("takes from an rfs flist only what had been left alone for an hour when it was written")
    func rfs() throws {
        let packing = try Self.tree()
        var options = try packing.options("old.fl")
        options.format = .rfs
        try packing.pack(options)
        let written = try #require(
            FileManager.default.attributesOfItem(atPath: packing.path("old.fl"))[.modificationDate] as? Date)
        // Within the hour: the same second, but another content.
        let recent = Int(written.timeIntervalSince1970) - 600
        try packing.run("touch", "-d", "@\(recent).25", packing.path("source/a/two"))
        try packing.pack(options)
        try packing.write("CONTENT of a/two", "source/a/two")
        try packing.run("touch", "-d", "@\(recent).75", packing.path("source/a/two"))
        options.output = packing.path("new.fl")
        options.base = try PackBase(packing.path("old.fl"))
        let watch = try OpenWatch(packing.source)
        #expect(try packing.pack(options).baseFiles == 5)
        #expect(watch.files() == ["two"])
        options.base = nil
        options.output = packing.path("full.fl")
        try packing.pack(options)
        #expect(Self.bytes(packing, "new.fl") == Self.bytes(packing, "full.fl"))
    }

    @Test("reads what was changed as late as the base was written: it may have changed again")
    func racy() throws {
        let packing = try Self.tree()
        try packing.pack(packing.options("old.fl"))
        try packing.run("touch", "-r", packing.path("source/one"), packing.path("old.fl"))
        let watch = try OpenWatch(packing.source)
        #expect(try packing.pack(Self.options(packing, "new.fl", base: "old.fl")).baseFiles == 0)
        #expect(watch.files().count == 6)
    }

    @Test("does not store again what a tar file holds of the base")
    func tar() throws {
        let packing = try Self.tree()
        try packing.pack(packing.options("old.fl"))
        try packing.run("tar", "-C", packing.source, "-cf", packing.path("source.tar"), ".")
        var options = try packing.options("new.fl", packing.path("source.tar"))
        options.base = try PackBase(packing.path("old.fl"))
        let summary = try packing.pack(options)
        #expect(summary.baseFiles == 0)
        // tar finds no holes unless told to: the sparse file's zeros are blocks.
        #expect(summary.newBytes == 512 << 10)
    }

    @Test("refuses a base that is none, or whose blocks are others")
    func refusals() throws {
        let packing = try Self.tree()
        try packing.pack(packing.options("old.fl"))
        #expect(throws: FlistError.self) { try PackBase(packing.path("source/one")) }
        #expect(throws: FlistError.self) { try PackBase(packing.path("nowhere.fl")) }
        var options = try Self.options(packing, "new.fl", base: "old.fl")
        options.blockSize = 64 << 10
        let size = #expect(throws: FlistError.self) { try packing.pack(options) }
        #expect(
            size?.description
                == "\(packing.path("old.fl")) cannot be the base: it has blocks of 524288 bytes, not of 65536")
        options = try Self.options(packing, "new.fl", base: "old.fl")
        options.format = .rfs
        let codec = #expect(throws: FlistError.self) { try packing.pack(options) }
        #expect(codec?.description.contains("blocks are to be made with snappy") == true)
        #expect(!FileManager.default.fileExists(atPath: packing.path("new.fl")))
    }
}

/// Sees which files of a tree are opened.
private final class OpenWatch {
    private let descriptor: FileDescriptor

    init(_ folder: String) throws {
        descriptor = FileDescriptor(owning: try systemCall { inotify_init1(Int32(IN_NONBLOCK)) })
        let number = descriptor.number
        let folders = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        for path in [folder] + folders.map({ "\(folder)/\($0)" }) {
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
            _ = try systemCall { inotify_add_watch(number, path, UInt32(IN_OPEN)) }
        }
    }

    /// The names of files opened since the last call, sorted, each once.
    func files() -> [String] {
        var names: Set<String> = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor.number, &buffer, buffer.count)
            guard count > 0 else { return names.sorted() }
            buffer[..<count].withUnsafeBytes { bytes in
                var offset = 0
                while offset + 16 <= bytes.count {
                    let mask = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                    let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                    let name = bytes[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 }
                    if mask & UInt32(IN_ISDIR) == 0 { names.insert(String(decoding: name, as: UTF8.self)) }
                    offset += 16 + length
                }
            }
        }
    }
}
