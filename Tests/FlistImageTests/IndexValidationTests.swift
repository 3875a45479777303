import BlockCodec
import Support
import Testing

@testable import FlistImage

@Suite("Tree index validation")
struct IndexValidationTests {
    static let id = BLAKE2b.hash(Array("id".utf8), .bytes32)
    static let short = BLAKE2b.hash(Array("id".utf8), .bytes16)

    /// A builder that holds a root, 1, and a directory `d`, 2.
    static func builder(kind: FlistKind = .zstd) throws -> TreeIndexBuilder {
        var builder = TreeIndexBuilder(info: IndexModel.info(kind: kind))
        try builder.add(root())
        try builder.add(entry(2, "d", .directory))
        return builder
    }

    static func root(id: UInt64 = 1) -> TreeEntry {
        TreeEntry(id: id, parent: id, name: [], type: .directory, permissions: 0o755)
    }

    static func entry(
        _ id: UInt64, _ name: String, _ type: FileType = .regular, in parent: UInt64 = 1, size: UInt64 = 0
    ) -> TreeEntry {
        var entry = TreeEntry(id: id, parent: parent, name: Array(name.utf8), type: type, permissions: 0o644)
        entry.size = size
        if type == .symlink { entry.linkTarget = [0x78] }
        return entry
    }

    static func change(_ entry: TreeEntry, _ body: (inout TreeEntry) -> Void) -> TreeEntry {
        var entry = entry
        body(&entry)
        return entry
    }

    /// What building says after `body`: its own error or that of finishing.
    static func message(_ kind: FlistKind = .zstd, _ body: (inout TreeIndexBuilder) throws -> Void) -> String {
        do {
            var builder = try builder(kind: kind)
            try body(&builder)
            _ = try builder.finish()
            return "no error"
        } catch let error as FlistError {
            return error.code == .invalid ? error.message : "\(error.code): \(error)"
        } catch {
            return "\(error)"
        }
    }

    @Test("takes what is right")
    func valid() throws {
        #expect(try Self.builder().finish().summary.entries == 2)
    }

    @Test(
        "refuses a name",
        arguments: [
            ("", "entry 3 (\"\"): the name is empty"),
            ("a/b", "entry 3 (\"a/b\"): the name holds a slash"),
            ("a\0b", "entry 3 (\"a\\x00b\"): the name holds a NUL byte"),
            (".", "entry 3 (\".\"): the name is reserved"),
            ("..", "entry 3 (\"..\"): the name is reserved"),
            (
                String(repeating: "n", count: 256),
                "entry 3 (\"\(String(repeating: "n", count: 256))\"): the name has 256 bytes, more than 255"
            ),
        ])
    func names(name: String, message: String) {
        #expect(Self.message { try $0.add(Self.entry(3, name)) } == message)
        let ofLink = Self.message {
            try $0.add(Self.entry(3, "file"))
            try $0.addName(parent: 1, name: Array(name.utf8), of: 3)
        }
        #expect(ofLink == message)
    }

    @Test("takes names of 255 bytes, and of bytes that are no text")
    func goodNames() {
        #expect(Self.message { try $0.add(Self.entry(3, String(repeating: "n", count: 255))) } == "no error")
        #expect(Self.message { try $0.add(Self.change(Self.entry(3, "")) { $0.name = [0xff, 0xfe] }) } == "no error")
        #expect(Self.message { try $0.add(Self.entry(3, "...")) } == "no error")
    }

    static let attributeCases: [(TreeEntry, String)] = [
        (change(entry(3, "x")) { $0.permissions = 0o10000 }, "the permissions have more than 12 bits"),
        (entry(3, "x", size: 1 << 63), "the size 9223372036854775808 is more than 2^63 - 1"),
        (
            change(entry(3, "x")) { $0.mtime.nanoseconds = 1_000_000_000 },
            "a time has a second or more of nanoseconds"
        ),
        (
            change(entry(3, "x")) { $0.ctime.nanoseconds = 1_000_000_000 },
            "a time has a second or more of nanoseconds"
        ),
        (change(entry(3, "x", .symlink)) { $0.linkTarget = [] }, "the symlink has no target"),
        (
            change(entry(3, "x", .symlink)) { $0.linkTarget = Array(repeating: 0x61, count: 4096) },
            "the symlink's target has 4096 bytes, more than 4095"
        ),
        (change(entry(3, "x", .symlink)) { $0.linkTarget = [0x61, 0] }, "the symlink's target holds a NUL byte"),
        (change(entry(3, "x")) { $0.linkTarget = [0x61] }, "has a link target but is no symlink"),
        (
            change(entry(3, "x", .blockDevice)) { $0.major = 4096 }, "the device's major number 4096 is more than 4095"
        ),
        (
            change(entry(3, "x", .characterDevice)) { $0.minor = 1 << 20 },
            "the device's minor number 1048576 is more than 1048575"
        ),
    ]

    @Test("refuses attributes", arguments: 0..<10)
    func attributes(case number: Int) {
        let (entry, reason) = Self.attributeCases[number]
        #expect(Self.message { try $0.add(entry) } == "entry 3 (\"x\"): \(reason)")
    }

    @Test("refuses a root that is none")
    func roots() {
        #expect(
            Self.message { try $0.add(Self.root(id: 9)) } == "entry 9 (\"\"): a second root; entry 1 is one already")
        let named = Self.message { try $0.add(Self.change(Self.root(id: 9)) { $0.name = [0x2f] }) }
        #expect(named == "entry 9 (\"/\"): the root has a name")
        let file = Self.message { try $0.add(Self.change(Self.root(id: 9)) { $0.type = .regular }) }
        #expect(file == "entry 9 (\"\"): the root is not a directory")
        #expect(throws: FlistError.self) { _ = try TreeIndexBuilder(info: IndexModel.info()).finish() }
        let rootless = Self.message {
            $0 = TreeIndexBuilder(info: IndexModel.info())
            try $0.add(Self.entry(3, "x"))
        }
        #expect(rootless == "the flist has no root")
    }

    @Test("refuses what does not hang on the root")
    func structure() {
        #expect(Self.message { try $0.add(Self.entry(2, "e")) } == "entry 2 (\"e\"): another entry has the same id")
        let orphan = Self.message { try $0.add(Self.entry(3, "x", in: 77)) }
        #expect(orphan == "entry 3 (\"x\"): its directory, entry 77, does not exist")
        let inFile = Self.message {
            try $0.add(Self.entry(3, "x"))
            try $0.add(Self.entry(4, "y", in: 3))
        }
        #expect(inFile == "entry 4 (\"y\"): its parent, entry 3, is not a directory")
        let ring = Self.message {
            try $0.add(Self.entry(3, "x", .directory, in: 4))
            try $0.add(Self.entry(4, "y", .directory, in: 3))
        }
        #expect(ring == "entry 3 (\"x\"): cannot be reached from the root")
        let duplicate = Self.message {
            try $0.add(Self.entry(3, "a\tb", in: 2))
            try $0.add(Self.entry(4, "a\tb", in: 2))
        }
        #expect(duplicate == "/d/a\\x09b: two entries have this name")
    }

    @Test("refuses duplicates among long names and further names")
    func duplicates() {
        let long = String(repeating: "l", count: 30)
        let twice = Self.message {
            for (id, name) in [(3, long + "1"), (4, long), (5, long + "2"), (6, long)] as [(UInt64, String)] {
                try $0.add(Self.entry(id, name))
            }
        }
        #expect(twice == "/\(long): two entries have this name")
        let link = Self.message {
            try $0.addName(parent: 1, name: Array("d".utf8), of: 3); try $0.add(Self.entry(3, "f"))
        }
        #expect(link == "/d: two entries have this name")
    }

    @Test("refuses further names of directories and of nothing")
    func furtherNames() {
        let directory = Self.message { try $0.addName(parent: 1, name: [0x78], of: 2) }
        #expect(directory == "entry 2 (\"x\"): a further name of a directory")
        let nothing = Self.message { try $0.addName(parent: 1, name: [0x78], of: 5) }
        #expect(nothing == "entry 5 (\"x\"): a further name of an entry that does not exist")
        let orphan = Self.message {
            try $0.add(Self.entry(3, "f"))
            try $0.addName(parent: 8, name: [0x78], of: 3)
        }
        #expect(orphan == "entry 3 (\"x\"): its directory, entry 8, does not exist")
    }

    @Test("refuses too many levels and entries")
    func limits() {
        let deep = Self.message {
            $0.limits.depth = 3
            try $0.add(Self.entry(3, "e", .directory, in: 2))
            try $0.add(Self.entry(4, "f", .directory, in: 3))
            try $0.add(Self.entry(5, "g", .directory, in: 4))
        }
        #expect(deep == "/d/e/f/g: more than 3 directories below one another")
        let many = Self.message {
            $0.limits.entries = 2
            try $0.add(Self.entry(3, "e"))
        }
        #expect(many == "the flist has more than 2 entries")
        let blocks = Self.message {
            $0.limits.blocks = 0
            try $0.addBlock(to: 3, blockID: Self.id, key: Self.id)
        }
        #expect(blocks == "the flist has more than 0 blocks")
        let xattrs = Self.message {
            $0.limits.xattrs = 0
            try $0.addXattr(to: 1, name: Array("user.a".utf8), value: [])
        }
        #expect(xattrs == "the flist has more than 0 xattrs")
        let bytes = Self.message {
            $0.limits.bytes = 100_000
            for number in 0..<3 {
                try $0.addXattr(
                    to: 1, name: Array("user.\(number)".utf8), value: Array(repeating: UInt8(number), count: 40_000))
            }
        }
        #expect(bytes == "what the flist holds takes more memory than a sound one of its size")
        #expect(TreeIndexBuilder.Limits().entries == 2_147_483_647)
        #expect(TreeIndexBuilder.Limits().depth == 4096)
    }

    @Test("refuses an info that makes no sense", arguments: [0, 4095, 5000, -4096, 128 << 20])
    func blockSize(size: Int) {
        var info = IndexModel.info()
        info.blockSize = size
        let message = Self.message {
            $0 = TreeIndexBuilder(info: info)
            try $0.add(Self.root())
        }
        #expect(message == "the block size \(size) is not a multiple of 4096 from 4096 to 67108864")
    }

    @Test("refuses a route that ends before it begins")
    func route() {
        var info = IndexModel.info()
        info.routes = [ImageRoute(start: 9, end: 8, url: "dir:///")]
        let message = Self.message {
            $0 = TreeIndexBuilder(info: info)
            try $0.add(Self.root())
        }
        #expect(message == "a route begins at 9 and ends before that, at 8")
    }
}
