import FlistImage
import Foundation
import Support
import Testing

@Suite("Broken .fl files")
struct BrokenFungiTests {
    static let schema = """
        CREATE TABLE inode (ino INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, name VARCHAR(255), size INTEGER, uid INTEGER, gid INTEGER, mode INTEGER, rdev INTEGER, ctime INTEGER, mtime INTEGER);
        CREATE TABLE extra (ino INTEGER PRIMARY KEY, data VARCHAR(4096));
        CREATE TABLE block (ino INTEGER, id VARCHAR(32), key VARCHAR(32));
        CREATE TABLE tag (key VARCHAR(10) PRIMARY KEY, value VARCHAR(255));
        CREATE TABLE route (start INTEGER, end INTEGER, url VARCHAR(2048));
        CREATE TABLE hardlink (parent INTEGER NOT NULL, name BLOB NOT NULL, ino INTEGER NOT NULL);
        CREATE TABLE xattr (ino INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL);
        CREATE TABLE nanotime (ino INTEGER PRIMARY KEY, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL);
        INSERT INTO tag VALUES ('format', 'flist/2'), ('codec', 'zstd'), ('block-size', '524288');
        INSERT INTO inode VALUES (1, 0, '/', 4096, 0, 0, 16877, 0, 0, 0), (2, 1, 'd', 4096, 0, 0, 16877, 0, 0, 0),
          (3, 2, 'f', 524289, 0, 0, 33188, 0, 0, 0), (4, 2, 'l', 1, 0, 0, 41471, 0, 0, 0),
          (5, 1, 'c', 0, 0, 0, 8612, 259, 0, 0);
        INSERT INTO extra VALUES (4, x'74');
        INSERT INTO block VALUES (3, randomblob(32), randomblob(32)), (3, x'', x'');
        INSERT INTO hardlink VALUES (1, 'again', 3);
        INSERT INTO xattr VALUES (3, 'user.x', x'00');
        INSERT INTO nanotime VALUES (3, 1, 999999999);

        """

    /// What is done to a sound file, and a part of the line that must come of it.
    static let edits: [(sql: String, message: String)] = [
        ("DROP TABLE inode", "neither the table entries nor inode"), ("DROP TABLE block", "has no table block"),
        ("DROP TABLE extra", "has no table extra"),
        ("ALTER TABLE inode DROP COLUMN gid", "table inode has no column gid"),
        ("ALTER TABLE block DROP COLUMN key", "table block has no column key"),
        ("ALTER TABLE extra DROP COLUMN data", "table extra has no column data"),
        ("ALTER TABLE tag RENAME COLUMN value TO v", "table tag has no column value"),
        ("ALTER TABLE route RENAME COLUMN url TO u", "table route has no column url"),
        ("ALTER TABLE hardlink RENAME COLUMN ino TO i", "table hardlink has no column ino"),
        ("ALTER TABLE xattr RENAME COLUMN name TO n", "table xattr has no column name"),
        ("ALTER TABLE nanotime RENAME COLUMN ctime_ns TO n", "table nanotime has no column ctime_ns"),
        ("ALTER TABLE inode RENAME TO x; CREATE VIEW inode AS SELECT * FROM x", "inode is not a table but a view"),
        ("ALTER TABLE block RENAME TO x; CREATE VIEW block AS SELECT * FROM x", "block is not a table but a view"),
        (
            "ALTER TABLE tag RENAME TO x; CREATE VIEW tag AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT n AS key, n AS value FROM c",
            "tag is not a table but a view"
        ),
        (
            "DROP TABLE block; CREATE VIRTUAL TABLE block USING fts5(ino, id, key)",
            "block is not a table but a virtual one"
        ),
        (
            "DROP TABLE extra; CREATE TABLE extra (ino INTEGER PRIMARY KEY, data AS (hex(zeroblob(1000000))))",
            "table extra computes its columns"
        ),
        (
            "DROP TABLE block; CREATE TABLE block (ino, id, key, PRIMARY KEY (ino)) WITHOUT ROWID",
            "no such column: rowid"
        ),
        ("DELETE FROM inode", "has no root"), ("DELETE FROM inode WHERE ino = 1", "has no root"),
        ("UPDATE inode SET parent = 0 WHERE ino = 2", "a second inode without a parent"),
        ("UPDATE inode SET parent = 2 WHERE ino = 2", "its parent 2 cannot be"),
        ("UPDATE inode SET parent = 2 WHERE ino = 1", "slash"),
        ("INSERT INTO inode VALUES (6, 7, 'a', 0, 0, 0, 16877, 0, 0, 0), (7, 6, 'b', 0, 0, 0, 16877, 0, 0, 0)", ""),
        ("UPDATE inode SET parent = 99 WHERE ino = 3", ""), ("UPDATE inode SET parent = 3 WHERE ino = 4", ""),
        ("UPDATE inode SET parent = -1 WHERE ino = 3", "its parent -1 cannot be"),
        ("UPDATE inode SET parent = NULL WHERE ino = 3", "column parent holds null where an integer belongs"),
        ("UPDATE inode SET parent = 1.5 WHERE ino = 3", "column parent holds a real number"),
        ("UPDATE inode SET parent = 'x' WHERE ino = 3", "ino 3: column parent holds text"),
        ("UPDATE inode SET ino = -7 WHERE ino = 5", "its number is not above 0"),
        ("UPDATE inode SET name = '' WHERE ino = 3", "the name is empty"),
        ("UPDATE inode SET name = '.' WHERE ino = 3", "reserved"),
        ("UPDATE inode SET name = '..' WHERE ino = 3", "reserved"),
        ("UPDATE inode SET name = 'a/b' WHERE ino = 3", "slash"),
        ("UPDATE inode SET name = '/etc' WHERE ino = 3", "slash"),
        ("UPDATE inode SET name = x'6100' WHERE ino = 3", "NUL"),
        ("UPDATE inode SET name = CAST(x'6100' AS TEXT) WHERE ino = 3", "NUL"),
        ("UPDATE inode SET name = hex(zeroblob(128)) WHERE ino = 3", "256 bytes"),
        ("UPDATE inode SET name = hex(zeroblob(1000000)) WHERE ino = 3", "2000000 bytes"),
        ("UPDATE inode SET name = NULL WHERE ino = 3", "column name holds null"),
        ("UPDATE inode SET name = 'l' WHERE ino = 3", ""), ("UPDATE inode SET name = 'again' WHERE ino = 5", ""),
        ("UPDATE inode SET name = 'f\n\u{1b}[31m/' WHERE ino = 3", "slash"),
        ("UPDATE inode SET size = -1 WHERE ino = 3", "its size -1 is negative"),
        ("UPDATE inode SET size = 'big' WHERE ino = 3", "column size holds text"),
        ("UPDATE inode SET size = x'01' WHERE ino = 3", "column size holds a blob"),
        ("UPDATE inode SET size = 9223372036854775807 WHERE ino = 3", ""),
        ("UPDATE inode SET size = 0 WHERE ino = 3", ""),
        ("UPDATE inode SET size = 524288 WHERE ino = 3", ""), ("UPDATE inode SET size = 2000000 WHERE ino = 3", ""),
        ("UPDATE inode SET uid = -1 WHERE ino = 3", "its uid -1 is out of range"),
        ("UPDATE inode SET uid = 4294967296 WHERE ino = 3", "its uid 4294967296 is out of range"),
        ("UPDATE inode SET gid = -1 WHERE ino = 3", "its gid -1 is out of range"),
        ("UPDATE inode SET gid = 'root' WHERE ino = 3", "column gid holds text"),
        ("UPDATE inode SET mode = 0 WHERE ino = 3", "its mode 00 is of no type"),
        ("UPDATE inode SET mode = 420 WHERE ino = 3", "of no type"),
        ("UPDATE inode SET mode = 61440 WHERE ino = 3", "of no type"),
        ("UPDATE inode SET mode = 98724 WHERE ino = 3", "of no type"),
        ("UPDATE inode SET mode = -1 WHERE ino = 3", "its mode -1"),
        ("UPDATE inode SET mode = 33188 WHERE ino = 1", "the root is not a directory"),
        ("UPDATE inode SET mode = 33188 WHERE ino = 2", ""), ("UPDATE inode SET mode = 16877 WHERE ino = 3", ""),
        ("UPDATE inode SET mode = 41471 WHERE ino = 3", "a symlink without a row in extra"),
        ("UPDATE inode SET mode = NULL WHERE ino = 3", "column mode holds null"),
        ("UPDATE inode SET rdev = -1 WHERE ino = 5", "major number"),
        ("UPDATE inode SET rdev = 'x' WHERE ino = 5", "column rdev holds text"),
        ("UPDATE inode SET rdev = 17592186044416 WHERE ino = 5", "major number"),
        ("UPDATE inode SET mtime = 'now' WHERE ino = 3", "column mtime holds text"),
        ("UPDATE inode SET ctime = 1.5 WHERE ino = 3", "column ctime holds a real number"),
        ("DELETE FROM extra", "a symlink without a row in extra"),
        ("UPDATE extra SET data = NULL", "column data holds null"),
        ("UPDATE extra SET data = x''", "no target"), ("UPDATE extra SET data = zeroblob(1)", "NUL"),
        ("UPDATE extra SET data = hex(zeroblob(2048))", "4096 bytes"), ("UPDATE extra SET data = 5", ""),
        ("DROP TABLE extra; CREATE TABLE extra (ino, data); INSERT INTO extra VALUES (4, 't'), (4, 'u')", ""),
        (
            "DROP TABLE extra; CREATE TABLE extra (ino, data); INSERT INTO extra VALUES ('x', 't')",
            "table extra: column ino holds text"
        ),
        (
            "DROP TABLE extra; CREATE TABLE extra (ino, data); INSERT INTO extra VALUES (1, 't'), (1, 'u'), (4, 'x')",
            "two rows in extra"
        ),
        ("UPDATE block SET id = NULL", "column id holds null where a blob belongs"),
        ("UPDATE block SET id = 'abc'", "column id holds text where a blob belongs"),
        ("UPDATE block SET key = 7", "column key holds text"),
        ("UPDATE block SET id = zeroblob(32)", ""),
        ("UPDATE block SET id = randomblob(31)", "an id of 31 bytes, not 32"),
        ("UPDATE block SET key = randomblob(33)", "a key of 33 bytes, not 32"),
        ("UPDATE block SET key = randomblob(16)", "16 bytes"),
        ("UPDATE block SET key = x'' WHERE length(id) = 32", "has an id but no key"),
        ("UPDATE block SET id = x'' WHERE length(id) = 32", "has a key but no id"),
        ("UPDATE block SET id = zeroblob(100000000)", "100000000 bytes, not 32"),
        ("UPDATE block SET ino = 99", ""), ("UPDATE block SET ino = 2", ""), ("UPDATE block SET ino = 4", ""),
        ("UPDATE block SET ino = 0", "not above 0"), ("UPDATE block SET ino = -3", "not above 0"),
        ("UPDATE block SET ino = NULL", "column ino holds null"),
        ("UPDATE block SET ino = 'x'", "column ino holds text"),
        ("DELETE FROM block WHERE length(id) = 0", ""), ("INSERT INTO block SELECT * FROM block", ""),
        ("UPDATE tag SET value = 'flist/3' WHERE key = 'format'", "is of the format flist/3"),
        ("UPDATE tag SET value = 'lz4' WHERE key = 'codec'", "blocks of the codec lz4"),
        ("DELETE FROM tag WHERE key = 'format'", "blocks of the codec zstd"),
        ("DELETE FROM tag WHERE key = 'block-size'", "no tag block-size"),
        ("UPDATE tag SET value = '0' WHERE key = 'block-size'", "no tag block-size"),
        ("UPDATE tag SET value = '-4096' WHERE key = 'block-size'", "no tag block-size"),
        ("UPDATE tag SET value = '99999999999999999999' WHERE key = 'block-size'", "no tag block-size"),
        ("UPDATE tag SET value = '5000' WHERE key = 'block-size'", "no tag block-size"),
        ("UPDATE tag SET value = '134217728' WHERE key = 'block-size'", "no tag block-size"),
        ("UPDATE tag SET value = '4096' WHERE key = 'block-size'", ""),
        ("UPDATE tag SET value = NULL WHERE key = 'codec'", "a value is null, not text"),
        ("UPDATE tag SET value = x'ff' WHERE key = 'codec'", "a value is a blob, not text"),
        ("INSERT INTO tag VALUES (CAST(x'ff' AS TEXT), 'x')", "not UTF-8"),
        ("INSERT INTO tag VALUES (NULL, 'x')", "null"),
        ("INSERT INTO tag VALUES ('big', hex(zeroblob(3000000)))", "more than 10000 rows"),
        (
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n < 10001) INSERT INTO tag SELECT 'k' || n, '' FROM c",
            "more than 10000 rows"
        ),
        (
            "DROP TABLE tag; CREATE TABLE tag (key, value); INSERT INTO tag VALUES ('codec', 'zstd'), ('codec', 'zstd'), ('format', 'flist/2')",
            "the tag codec more than once"
        ),
        (
            "DROP TABLE tag; CREATE TABLE tag (key, value); INSERT INTO tag VALUES ('codec', 'snappy')",
            "an id of 0 bytes, not 32"
        ),
        ("DROP TABLE tag", ""), ("DELETE FROM tag", ""),
        ("INSERT INTO route VALUES (0, 256, 'x')", "not one of 0 to 255"),
        ("INSERT INTO route VALUES (-1, 5, 'x')", "not one of 0 to 255"),
        ("INSERT INTO route VALUES (9, 8, 'x')", "not one of 0 to 255"),
        ("INSERT INTO route VALUES ('a', 8, 'x')", "column start holds text"),
        ("INSERT INTO route VALUES (0, 8, NULL)", "null, not text"),
        ("INSERT INTO route VALUES (0, 8, hex(zeroblob(1025)))", "longer than 2048"),
        (
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n < 10001) INSERT INTO route SELECT 0, 255, n FROM c",
            "more than 10000 rows"
        ),
        ("UPDATE hardlink SET ino = 99", ""), ("UPDATE hardlink SET ino = 2", ""), ("UPDATE hardlink SET ino = 1", ""),
        ("UPDATE hardlink SET parent = 99", ""), ("UPDATE hardlink SET parent = 3", ""),
        ("UPDATE hardlink SET name = 'd'", ""),
        ("UPDATE hardlink SET name = '../x'", "slash"), ("UPDATE hardlink SET name = ''", "empty"),
        ("UPDATE hardlink SET name = 5.5", "column name holds a real"),
        ("UPDATE hardlink SET parent = 0", "not above 0"), ("UPDATE hardlink SET ino = 'x'", "column ino holds text"),
        ("INSERT INTO hardlink SELECT * FROM hardlink", ""),
        ("UPDATE xattr SET name = ''", ""), ("UPDATE xattr SET name = x'00'", ""),
        ("UPDATE xattr SET name = hex(zeroblob(128))", ""),
        ("UPDATE xattr SET value = zeroblob(65537)", ""),
        ("UPDATE xattr SET value = 5", "column value holds an integer"),
        ("UPDATE xattr SET ino = 99", ""), ("UPDATE xattr SET ino = -1", "not above 0"),
        ("UPDATE xattr SET ino = 'x'", "column ino holds text"),
        ("INSERT INTO xattr SELECT * FROM xattr", ""),
        ("ALTER TABLE xattr RENAME TO x; CREATE VIEW xattr AS SELECT * FROM x", "xattr is not a table"),
        ("UPDATE nanotime SET mtime_ns = 1000000000", "nanoseconds are out of range"),
        ("UPDATE nanotime SET ctime_ns = -1", "out of range"),
        ("UPDATE nanotime SET ctime_ns = 'x'", "column ctime_ns holds text"),
        ("PRAGMA encoding = 'UTF-16'; VACUUM", ""),
        ("CREATE TRIGGER t AFTER INSERT ON inode BEGIN DELETE FROM inode; END", ""),
        ("CREATE TABLE pragma_table_xinfo (name, hidden)", ""), ("CREATE INDEX i ON inode (hex(name))", ""),
        ("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 1 WHERE name = 'block'", ""),
        ("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 9999 WHERE name = 'inode'", ""),
        (
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'extra') WHERE name = 'block'",
            ""
        ),
        (
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE inode (nonsense' WHERE name = 'inode'",
            ""
        ),
        ("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'garbage' WHERE name = 'block'", ""),
        ("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'view' WHERE name = 'block'", ""),
        ("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = NULL WHERE name = 'tag'", ""),
    ]

    @Test("every edit that breaks a rule is told in one line that names it", arguments: edits.indices)
    func edited(index: Int) throws {
        let edit = Self.edits[index]
        let workspace = try Workspace()
        let path = try workspace.database("x.fl", Self.schema + edit.sql + ";\n")
        let (outcome, faults) = Outcome.of(path)
        #expect(faults == [])
        if !edit.message.isEmpty {
            guard case .refused(let line) = outcome else {
                Issue.record("accepted: \(edit.sql)")
                return
            }
            #expect(line.contains(edit.message), "\(edit.sql)")
        }
        #expect(workspace.names == ["x.fl"])
    }

    @Test("without an edit it is a tree")
    func sound() throws {
        let workspace = try Workspace()
        let (outcome, faults) = Outcome.of(try workspace.database("x.fl", Self.schema))
        #expect(outcome == .tree)
        #expect(faults == [])
    }

    @Test("damaged bytes are refused or a tree, never a crash", arguments: ["rfs-mini", "own"])
    func damaged(kind: String) throws {
        let workspace = try Workspace()
        let sound =
            kind == "own"
            ? try Workspace.read(workspace.database("sound.fl", Self.schema))
            : try Workspace.read("\(Workspace.fixtures)/rfs-mini/mini.fl")
        var refused = 0
        for variant in Damage.variants(of: sound, seed: 11, count: 300) {
            let path = try workspace.write(variant.bytes, "x.fl")
            let (outcome, faults) = Outcome.of(path)
            #expect(faults == [], "\(variant.name)")
            if outcome != .tree { refused += 1 }
        }
        #expect(refused > 60)
        #expect(workspace.names == (kind == "own" ? ["sound.fl", "x.fl"] : ["x.fl"]))
    }
}
