import Foundation
import Support
import Testing

@testable import FlistImage

@Suite("Databases made to do harm")
struct HostileDatabaseTests {
    private static let block = String(repeating: "11", count: 32)

    /// A sound file, without what the block tables of others hold.
    private static let schema =
        BrokenFungiTests.schema + "DELETE FROM block; UPDATE inode SET size = 0 WHERE ino = 3;\n"

    /// What is said of a file behind its path.
    private static func refusal(_ path: String) -> String {
        do {
            _ = try FlistReader.open(path, indexFolder: nil)
            return "accepted"
        } catch {
            let text = error.description
            return text.hasPrefix("\(path): ") ? String(text.dropFirst(path.utf8.count + 2)) : text
        }
    }

    @Test(
        "are refused in these words",
        arguments: [
            (
                "INSERT INTO inode VALUES (6, 7, 'a', 0, 0, 0, 16877, 0, 0, 0), (7, 6, 'b', 0, 0, 0, 16877, 0, 0, 0)",
                "entry 6 (\"a\"): cannot be reached from the root"
            ),
            ("UPDATE inode SET parent = 99 WHERE ino = 3", "entry 3 (\"f\"): its directory, entry 99, does not exist"),
            ("UPDATE inode SET parent = 5 WHERE ino = 3", "entry 3 (\"f\"): its parent, entry 5, is not a directory"),
            ("UPDATE inode SET parent = 4 WHERE ino = 3", "entry 3 (\"f\"): its parent, entry 4, is not a directory"),
            ("UPDATE inode SET parent = 0 WHERE ino = 2", "table inode, ino 2: a second inode without a parent"),
            ("UPDATE inode SET name = 'l' WHERE ino = 3", "/d/l: two entries have this name"),
            ("UPDATE inode SET name = '..' WHERE ino = 3", "entry 3 (\"..\"): the name is reserved"),
            ("UPDATE inode SET name = 'a/b' WHERE ino = 3", "entry 3 (\"a/b\"): the name holds a slash"),
            ("UPDATE inode SET name = x'6100' WHERE ino = 3", "entry 3 (\"a\\x00\"): the name holds a NUL byte"),
            ("UPDATE inode SET size = -1 WHERE ino = 3", "table inode, ino 3: its size -1 is negative"),
            (
                "UPDATE inode SET size = 5000000 WHERE ino = 3; INSERT INTO block VALUES (3, x'\(block)', x'\(block)')",
                "/d/f: has 1 blocks, but 5000000 bytes are 10"
            ),
            (
                "UPDATE inode SET size = 9223372036854775807 WHERE ino = 3",
                "/d/f: 9223372036854775807 bytes would be more than 2^32 blocks"
            ),
            ("UPDATE hardlink SET ino = 2", "entry 2 (\"again\"): a further name of a directory"),
            ("UPDATE hardlink SET ino = 99", "entry 99 (\"again\"): a further name of an entry that does not exist"),
            ("UPDATE hardlink SET name = 'd'", "/d: two entries have this name"),
            ("DROP TABLE block; CREATE TABLE block (ino, id AS (ino), key)", "table block computes its columns"),
            ("DROP TABLE inode; CREATE VIEW inode AS SELECT 1 AS ino", "inode is not a table but a view"),
        ])
    func words(sql: String, line: String) throws {
        let workspace = try Workspace()
        #expect(Self.refusal(try workspace.database("x.fl", Self.schema + sql + ";\n")) == line)
    }

    @Test("have names of any bytes all the same")
    func names() throws {
        let workspace = try Workspace()
        let sql =
            "UPDATE inode SET name = x'ff0aC3' WHERE ino = 3; UPDATE inode SET name = CAST(x'fe' AS TEXT) WHERE ino = 4;"
        let index = try FlistReader.open(workspace.database("x.fl", Self.schema + sql), indexFolder: nil)
        let folder = try #require(index.resolve(path: Array("d".utf8)))
        #expect(index.lookup([0xff, 0x0a, 0xc3], in: folder).flatMap(index.type) == .regular)
        #expect(index.lookup([0xfe], in: folder).flatMap(index.type) == .symlink)
    }

    @Test("are refused with 100,000 levels, and the line stays short")
    func deep() throws {
        let workspace = try Workspace()
        let sql = """
            WITH RECURSIVE c(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c WHERE n < 100009)
            INSERT INTO inode SELECT n, CASE n WHEN 10 THEN 1 ELSE n - 1 END, 'x', 0, 0, 0, 16877, 0, 0, 0 FROM c;
            """
        let line = Self.refusal(try workspace.database("x.fl", Self.schema + sql))
        #expect(line.hasSuffix(": more than 4096 directories below one another"))
        #expect(line.utf8.count < 600)
    }

    @Test("are read with 1,000,000 names in one directory", .timeLimit(.minutes(5)))
    func wide() throws {
        let workspace = try Workspace()
        let sql = """
            WITH RECURSIVE c(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c WHERE n < 1000009)
            INSERT INTO inode SELECT n, 2, 'n' || n, 0, 0, 0, 33188, 0, 0, 0 FROM c;
            """
        let index = try FlistReader.open(
            workspace.database("x.fl", "PRAGMA journal_mode = OFF; BEGIN;" + Self.schema + sql + "COMMIT;"),
            indexFolder: nil)
        #expect(index.summary.entries == 1_000_006)
        let folder = try #require(index.resolve(path: Array("d".utf8)))
        #expect(index.children(of: folder)?.count == 1_000_002)
        let last = try #require(index.lookup(Array("n1000009".utf8), in: folder))
        #expect(index.path(of: last) == Array("/d/n1000009".utf8))
    }

    @Test("leave no file beside them where their header asks for a log")
    func writeAheadLog() throws {
        let workspace = try Workspace()
        var bytes = try Workspace.read(workspace.database("x.fl", Self.schema))
        bytes[18] = 2
        bytes[19] = 2
        let path = try workspace.write(bytes, "x.fl")
        #expect(Self.refusal(path) == "accepted")
        #expect(workspace.names == ["x.fl"])
    }

    @Test("take bounded memory when thousands of rows share one long value and have to be sorted")
    func sharedPages() throws {
        let workspace = try Workspace()
        let length = 2 << 20
        let path = try workspace.database(
            "x.fl",
            """
            PRAGMA page_size = 4096; \(Self.schema)
            INSERT INTO block VALUES (20000000, zeroblob(\(length)), x'');
            WITH RECURSIVE c(n) AS (SELECT 19999999 UNION ALL SELECT n - 1 FROM c WHERE n > 19997000)
            INSERT INTO block SELECT n, zeroblob(3000), x'' FROM c;
            """)
        let root = try workspace.run("sqlite3", path, "SELECT rootpage FROM sqlite_schema WHERE name = 'block'")
        let number = try #require(Int(root.dropLast()))
        let shared = SharedPages(try Workspace.read(path), root: number, length: length)
        _ = try workspace.write(shared.bytes, "x.fl")
        // SQLite itself sees 3000 rows of 2 MiB in a file of 14.
        #expect(
            try workspace.run("sqlite3", path, "SELECT count(*) FROM block WHERE length(id) = \(length)") == "3001\n")
        #expect(Self.refusal(path) == "reading it takes more than 512.0 MiB of memory")
    }

    @Test("are given up on when they take longer than their size explains")
    func time() throws {
        let workspace = try Workspace()
        let path = try workspace.database("x.fl", Self.schema)
        let database = try Database.openUntrusted(
            path: Array(path.utf8), budget: ReadBudget(steps: 2_000_000_000, seconds: 1))
        let endless = try database.prepare(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c")
        let error = #expect(throws: DatabaseError.self) { try endless.step() }
        #expect(error?.description == "reading it takes far more work than a sound file of its size needs")
    }

    @Test("are refused when their schema holds a long text")
    func longSchema() throws {
        let workspace = try Workspace()
        let sql = "CREATE TABLE other (a DEFAULT '\(String(repeating: "x", count: 70_000))');"
        #expect(Self.refusal(try workspace.database("x.fl", Self.schema + sql)) == "string or blob too big")
    }

    @Test("have no profile when its paths are long")
    func longProfile() throws {
        let workspace = try Workspace()
        let sql = """
            CREATE TABLE profile (path BLOB NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL);
            INSERT INTO profile VALUES ('/d/f', 0, 1), ('/' || hex(zeroblob(2048)), 0, 1);
            """
        let index = try FlistReader.open(workspace.database("x.fl", Self.schema + sql), indexFolder: nil)
        #expect(index.profile.isEmpty)
    }
}
