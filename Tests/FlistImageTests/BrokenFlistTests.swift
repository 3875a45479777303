import FlistImage
import Foundation
import Support
import TestSupport
import Testing

@Suite("Broken .flist files")
struct BrokenFlistTests {
    typealias Edit = (name: String, message: String, builder: FlistBuilder)

    private static func inRoot(_ entries: FlistRecords.Inode...) -> FlistBuilder {
        FlistBuilder(root: FlistBuilder.rootEntries + entries)
    }

    private static func named(_ name: [UInt8]) -> FlistBuilder {
        inRoot(FlistRecords.Inode(name, tag: 2, .structure(data: [], pointers: [.text("t")])))
    }

    private static func sql(_ sql: String) -> FlistBuilder {
        var builder = FlistBuilder()
        builder.sql = sql
        return builder
    }

    private static func backend(_ json: String) -> FlistBuilder {
        var builder = FlistBuilder()
        builder.backend = json
        return builder
    }

    private static func record(_ key: String, _ value: [UInt8]) -> FlistBuilder {
        var builder = FlistBuilder()
        builder.records.removeAll { $0.key == key }
        builder.records.append((key, value))
        return builder
    }

    private static let block = FlistBuilder.block
    private static let nul: CapnpValue = .structure(data: [], pointers: [.text([0x61, 0, 0x62])])

    static let edits: [Edit] = [
        (
            "cycle", "leads to a directory that is in the tree already",
            inRoot(FlistRecords.directory("again", key: FlistBuilder.rootKey))
        ),
        (
            "two parents", "leads to a directory that is in the tree already",
            inRoot(FlistRecords.directory("twice", key: FlistBuilder.etcKey))
        ),
        (
            "cycle below", "in the tree already",
            FlistBuilder(etc: [FlistRecords.directory("up", key: FlistBuilder.etcKey)])
        ),
        ("no record", "directory \"gone\" has no record", inRoot(FlistRecords.directory("gone", key: "00"))),
        ("no key", "has no record", inRoot(FlistRecords.directory("gone", key: ""))),
        ("access record as directory", "", inRoot(FlistRecords.directory("odd", key: FlistBuilder.aclKey))),
        ("empty name", "the name is empty", named([])), ("dot", "reserved", named([0x2e])),
        ("dots", "reserved", named([0x2e, 0x2e])),
        ("slash", "slash", named(Array("a/b".utf8))), ("escape", "slash", named(Array("../../etc/passwd".utf8))),
        ("nul", "NUL", named([0x61, 0, 0x62])), ("long", "256 bytes", named([UInt8](repeating: 97, count: 256))),
        ("duplicate", "", inRoot(FlistRecords.link("null", target: "x"))),
        ("newline", "slash", named(Array("a\n/\u{1b}[0m".utf8))),
        ("empty target", "no target", inRoot(FlistRecords.link("l", target: ""))),
        ("long target", "4096 bytes", inRoot(FlistRecords.link("l", target: String(repeating: "a", count: 4096)))),
        ("nul target", "NUL", inRoot(FlistRecords.Inode([97], tag: 2, nul))),
        ("device major", "major number 4096", inRoot(FlistRecords.special("s", type: 0, data: "4096,0"))),
        ("device minor", "minor number", inRoot(FlistRecords.special("s", type: 1, data: "0,1048576"))),
        ("device without numbers", "a device without numbers", inRoot(FlistRecords.special("s", type: 1, data: "x"))),
        ("unknown member", "entry of unknown kind 4", inRoot(FlistRecords.Inode([97], tag: 4, .null))),
        ("unknown member, large", "entry of unknown kind 65535", inRoot(FlistRecords.Inode([97], tag: 65535, .null))),
        (
            "file as directory", "",
            inRoot(
                FlistRecords.Inode(
                    [97], tag: 0,
                    .structure(data: [128], pointers: [.structures([(data: [], pointers: [.bytes([1])])])])))
        ),
        ("too few blocks", "", inRoot(FlistRecords.file("f", size: 524_289, blocks: [block]))),
        ("too many blocks", "", inRoot(FlistRecords.file("f", size: 5, blocks: [block, block]))),
        ("blocks of an empty file", "", inRoot(FlistRecords.file("f", size: 0, blocks: [block]))),
        ("size", "", inRoot(FlistRecords.file("f", size: .max, blocks: []))),
        ("size and block", "", inRoot(FlistRecords.file("f", size: .max, blocks: [block]))),
        (
            "short hash", "block 0 has names that are not 16 bytes",
            inRoot(FlistRecords.file("f", size: 5, blocks: [(hash: [1], key: block.key)]))
        ),
        (
            "long key", "not 16 bytes",
            inRoot(FlistRecords.file("f", size: 5, blocks: [(hash: block.hash, key: block.key + block.key)]))
        ),
        ("empty hash", "not 16 bytes", inRoot(FlistRecords.file("f", size: 5, blocks: [(hash: [], key: block.key)]))),
        (
            "zero hash", "",
            inRoot(FlistRecords.file("f", size: 5, blocks: [(hash: [UInt8](repeating: 0, count: 16), key: block.key)]))
        ),
        ("block size 0", "", inRoot(FlistRecords.file("f", size: 600_000, blocks: [block, block], blockSize: 0))),
        (
            "block sizes differ", "are not the size of those before",
            inRoot(FlistRecords.file("f", size: 8192, blocks: [block, block], blockSize: 1))
        ),
        (
            "block size too large", "",
            FlistBuilder(etc: [FlistRecords.file("f", size: 524_289, blocks: [block, block], blockSize: 65535)])
        ),
        (
            "owner out of range", "owner's number is out of range",
            FlistBuilder(access: FlistRecords.access(user: "", group: "", mode: 0, uid: 1 << 32, gid: 0))
        ),
        (
            "negative owner", "owner's number is out of range",
            FlistBuilder(access: FlistRecords.access(user: "", group: "", mode: 0, uid: -2, gid: 0))
        ),
        (
            "group out of range", "owner's number is out of range",
            FlistBuilder(access: FlistRecords.access(user: "", group: "", mode: 0, uid: 0, gid: .max))
        ),
        ("access is a list", "a list stands where", record(FlistBuilder.aclKey, CapnpBuilder.frame([[1]]))),
        ("access is short", "access record", record(FlistBuilder.aclKey, [1, 2, 3])),
        ("access is empty", "access record", record(FlistBuilder.aclKey, [])),
        ("root is empty", "the root directory: shorter", record(FlistBuilder.rootKey, [])),
        (
            "root without words", "the root directory: has no root",
            record(FlistBuilder.rootKey, CapnpBuilder.frame([[]]))
        ),
        (
            "root of segments", "segments does not fit",
            record(FlistBuilder.rootKey, [255, 255, 255, 255] + [UInt8](repeating: 0, count: 60))
        ),
        ("directory is noise", "directory \"etc\"", record(FlistBuilder.etcKey, [UInt8](repeating: 0x5a, count: 800))),
        (
            "huge list", "",
            record(
                FlistBuilder.etcKey,
                CapnpBuilder.frame([
                    [
                        CapnpBuilder.structPointer(offset: 0, data: 0, pointers: 3), 0, 0,
                        CapnpBuilder.listPointer(offset: 0, kind: 7, count: 0), UInt64((1 << 30) - 1) << 2,
                    ]
                ]))
        ),
        ("no root", "has no root directory", sql("DELETE FROM entries WHERE key = '\(FlistBuilder.rootKey)'")),
        ("empty", "has no root directory", sql("DELETE FROM entries")),
        ("no table", "table entries", sql("DROP TABLE entries")),
        ("no column", "table entries has no column value", sql("ALTER TABLE entries RENAME COLUMN value TO v")),
        (
            "view", "entries is not a table but a view",
            sql("ALTER TABLE entries RENAME TO x; CREATE VIEW entries AS SELECT * FROM x")
        ),
        (
            "endless view", "entries is not a table but a view",
            sql(
                "DROP TABLE entries; CREATE VIEW entries AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n FROM c) SELECT n AS key, n AS value FROM c"
            )
        ),
        (
            "virtual", "entries is not a table but a virtual one",
            sql("DROP TABLE entries; CREATE VIRTUAL TABLE entries USING fts5(key, value)")
        ),
        (
            "computed", "table entries computes its columns",
            sql("DROP TABLE entries; CREATE TABLE entries (key, value AS (hex(zeroblob(100))))")
        ),
        ("text", "holds text where a blob belongs", sql("UPDATE entries SET value = 'x'")),
        ("null", "holds null where a blob belongs", sql("UPDATE entries SET value = NULL")),
        ("number", "holds an integer where a blob belongs", sql("UPDATE entries SET value = 5")),
        ("zeros", "the root directory", sql("UPDATE entries SET value = zeroblob(100000)")),
        (
            "same values", "",
            sql("UPDATE entries SET value = (SELECT value FROM entries WHERE key = '\(FlistBuilder.rootKey)')")
        ),
        (
            "no key on keys", "",
            sql(
                "CREATE TABLE t AS SELECT * FROM entries; DROP TABLE entries; ALTER TABLE t RENAME TO entries; INSERT INTO entries SELECT * FROM entries"
            )
        ),
        ("upper case keys", "has no root directory", sql("UPDATE entries SET key = upper(key)")),
        ("blob keys", "has no root directory", sql("UPDATE entries SET key = CAST(key AS BLOB)")),
        ("trigger", "", sql("CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM entries; END")),
        (
            "schema", "",
            sql("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 777 WHERE name = 'entries'")
        ),
        (
            "schema text", "",
            sql("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE' WHERE name = 'entries'")
        ),
        (
            "metadata view", "metadata is not a table but a view",
            sql("ALTER TABLE metadata RENAME TO x; CREATE VIEW metadata AS SELECT * FROM x")
        ),
        ("metadata column", "table metadata has no column key", sql("ALTER TABLE metadata RENAME COLUMN key TO k")),
        ("metadata null", "a value is null, not text", sql("UPDATE metadata SET value = NULL")),
        ("metadata blob", "a value is a blob, not text", sql("UPDATE metadata SET value = x'00'")),
        (
            "metadata rows", "more than 10000 rows",
            sql(
                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n < 10001) INSERT INTO metadata SELECT n, n FROM c"
            )
        ),
        ("metadata bytes", "or 4194304 bytes", sql("INSERT INTO metadata VALUES ('readme', hex(zeroblob(3000000)))")),
        ("backend text", "backend: not a JSON object", backend("hello")),
        ("backend list", "backend: not a JSON object", backend("[1]")),
        ("backend cut", "backend: not a JSON object", backend(#"{"host": "h""#)),
        ("backend no host", "names no host", backend(#"{"port": 1}"#)),
        ("backend no port", "its port is not a number", backend(#"{"host": "h"}"#)),
        ("backend port 0", "its port is not a number", backend(#"{"host": "h", "port": 0}"#)),
        ("backend port", "its port is not a number", backend(#"{"host": "h", "port": 65536}"#)),
        ("backend port real", "port is not text", backend(#"{"host": "h", "port": 1.5}"#)),
        ("backend port text", "its port is not a number", backend(#"{"host": "h", "port": "x"}"#)),
        ("backend nul", "a text with a NUL", backend(#"{"host": "h\u0000x", "port": 1}"#)),
        ("backend deep", "backend: not a JSON object", backend(String(repeating: "[", count: 30000))),
        ("backend long", "longer than 64 KiB", backend(#"{"host": "\#(String(repeating: "h", count: 70000))"}"#)),
    ]

    @Test("every fault is told in one line that names it, in an archive and bare", arguments: edits.indices)
    func edited(index: Int) throws {
        let edit = Self.edits[index]
        let workspace = try Workspace()
        let bare = try edit.builder.database(in: workspace)
        let archive = try workspace.write(
            TarBuilder.archive(
                TarBuilder.member("./", type: "5"), TarBuilder.member("./flistdb.sqlite3", Workspace.read(bare))),
            "x.flist")
        for path in [bare, archive, workspace.folder] {
            let (outcome, faults) = Outcome.of(path)
            #expect(faults == [])
            if !edit.message.isEmpty {
                guard case .refused(let line) = outcome else {
                    Issue.record("accepted: \(edit.name)")
                    continue
                }
                #expect(line.contains(edit.message), "\(edit.name)")
            }
        }
        #expect(workspace.names == ["flistdb.sqlite3", "x.flist"])
    }

    @Test("without a fault it is a tree; what is missing has defaults")
    func sound() throws {
        let workspace = try Workspace()
        var builder = FlistBuilder()
        builder.records.removeAll { $0.key == FlistBuilder.aclKey }
        builder.sql = "DROP TABLE metadata"
        let index = try FlistReader.open(builder.database(in: workspace), indexFolder: nil)
        let root = try #require(index.attributes(of: TreeIndex.root))
        #expect(root.uid == 1000)
        #expect(root.gid == 1000)
        #expect(root.permissions == 0o400)
        #expect(index.backend == nil)
        #expect(index.summary.blockReferences == 2)
    }

    @Test("damaged bytes are refused or a tree, never a crash", arguments: ["archive", "database"])
    func damaged(kind: String) throws {
        let workspace = try Workspace()
        let fixture = "\(Workspace.fixtures)/zflist-mini/mini.flist"
        if kind == "database" { try workspace.run("tar", "xf", fixture) }
        let sound = try kind == "archive" ? Workspace.read(fixture) : workspace.read("flistdb.sqlite3")
        var refused = 0
        for variant in Damage.variants(of: sound, seed: 5, count: 300) {
            let (outcome, faults) = Outcome.of(try workspace.write(variant.bytes, "x.flist"))
            #expect(faults == [], "\(variant.name)")
            if outcome != .tree { refused += 1 }
        }
        #expect(refused > 60)
    }
}
