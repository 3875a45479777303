import FlistContent
import FlistImage
import FlistTools
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Unpacking what was made to do harm", .enabled(if: geteuid() == 0, "needs root"))
struct HostileUnpackTests {
    /// A `.fl` without blocks; each row is an inode: ino, parent, name, mode, and a symlink's target.
    private static func flist(_ packing: Packing, _ rows: [(Int, Int, String, Int, String)], more: String = "") throws {
        var sql = """
            CREATE TABLE inode (ino INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, name VARCHAR(255), size INTEGER, uid INTEGER, gid INTEGER, mode INTEGER, rdev INTEGER, ctime INTEGER, mtime INTEGER);
            CREATE TABLE extra (ino INTEGER PRIMARY KEY, data VARCHAR(4096));
            CREATE TABLE block (ino INTEGER, id VARCHAR(32), key VARCHAR(32));
            CREATE TABLE tag (key VARCHAR(10) PRIMARY KEY, value VARCHAR(255));
            CREATE TABLE hardlink (parent INTEGER NOT NULL, name BLOB NOT NULL, ino INTEGER NOT NULL);
            INSERT INTO tag VALUES ('format', 'flist/2'), ('codec', 'zstd'), ('block-size', '524288');
            INSERT INTO inode VALUES (1, 0, '/', 0, 0, 0, 16877, 0, 0, 0);
            """
        for (ino, parent, name, mode, target) in rows {
            sql += "INSERT INTO inode VALUES (\(ino), \(parent), '\(name)', 0, 1000, 1000, \(mode), 259, 0, 0);"
            if !target.isEmpty { sql += "INSERT INTO extra VALUES (\(ino), '\(target)');" }
        }
        try packing.run("sqlite3", "-bail", packing.path("out.fl"), sql + more)
    }

    private static let (link, file, folder, device) = (0o120777, 0o104755, 0o040755, 0o020666)

    @Test("refuses entries below a symlink, and names that lead elsewhere", arguments: ["below", "..", "a/../../b"])
    func names(name: String) throws {
        let packing = try Packing()
        let parent = name == "below" ? 2 : 1
        try Self.flist(packing, [(2, 1, "out", Self.link, packing.path("victim")), (3, parent, name, Self.file, "")])
        try packing.run("mkdir", packing.path("victim"))
        let error = #expect(throws: FlistError.self) { try packing.unpack() }
        #expect(error?.code == .invalid)
        #expect(!FileManager.default.fileExists(atPath: packing.path("target")))
        #expect(try FileManager.default.contentsOfDirectory(atPath: packing.path("victim")) == [])
    }

    @Test("makes symlinks to anywhere, and writes, links and sets nothing through them")
    func links() throws {
        let packing = try Packing()
        try packing.run("mkdir", packing.path("victim"))
        try packing.write("untouched", "victim/file")
        try packing.run("chmod", "600", packing.path("victim/file"))
        let before = try packing.run("stat", "-c", "%a %u %h %Y", packing.path("victim"), packing.path("victim/file"))
        try Self.flist(
            packing,
            [
                (2, 1, "absolute", Self.link, packing.path("victim/file")), (3, 1, "up", Self.link, "../victim/file"),
                (4, 1, "folder", Self.link, packing.path("victim")),
            ], more: "INSERT INTO hardlink VALUES (1, 'again', 2);")
        #expect(try packing.unpack().failed == 0)
        #expect(
            try packing.run("find", packing.path("target"), "-type", "l", "-printf", "%f %l %u %n\n").split(
                separator: "\n"
            ).sorted() == [
                "absolute \(packing.path("victim/file")) \(Self.owner) 2",
                "again \(packing.path("victim/file")) \(Self.owner) 2",
                "folder \(packing.path("victim")) \(Self.owner) 1", "up ../victim/file \(Self.owner) 1",
            ])
        let after = try packing.run("stat", "-c", "%a %u %h %Y", packing.path("victim"), packing.path("victim/file"))
        #expect(after == before)
    }

    /// How find(1) shows the owner 1000.
    private static let owner = getpwuid(1000).map { String(cString: $0.pointee.pw_name) } ?? "1000"

    @Test("replaces what lies in the way when it is forced to, and follows none of it")
    func inTheWay() throws {
        let packing = try Packing()
        try packing.run("mkdir", packing.path("victim"), packing.path("target"))
        try packing.write("untouched", "victim/file")
        for name in ["file", "device"] {
            try packing.run("ln", "-s", packing.path("victim/file"), packing.path("target/\(name)"))
        }
        try packing.run("ln", "-s", packing.path("victim"), packing.path("target/folder"))
        try packing.run("ln", packing.path("victim/file"), packing.path("target/link"))
        try Self.flist(
            packing,
            [
                (2, 1, "file", Self.file, ""), (3, 1, "device", Self.device, ""), (4, 1, "folder", Self.folder, ""),
                (5, 4, "file", Self.file, ""), (6, 1, "link", Self.file, ""),
            ])
        #expect(try packing.unpack(force: true).failed == 0)
        #expect(try packing.run("cat", packing.path("victim/file")) == "untouched")
        #expect(try packing.run("stat", "-c", "%F %a %u %h", packing.path("victim/file")) == "regular file 644 0 1\n")
        #expect(try packing.run("ls", packing.path("victim")) == "file\n")
        #expect(
            try packing.run(
                "stat", "-c", "%F %a %u",
                packing.path("target/file"), packing.path("target/device"), packing.path("target/folder"))
                == "regular empty file 4755 1000\ncharacter special file 666 1000\ndirectory 755 1000\n")
    }

    @Test("gives no file a setuid bit without its owner, and tells of devices that it may not make")
    func ordinaryUser() throws {
        let packing = try Packing()
        try Self.flist(
            packing,
            [
                (2, 1, "setuid", 0o106755, ""), (3, 1, "device", Self.device, ""), (4, 1, "folder", 0o042775, ""),
                (5, 1, "last", 0o100640, ""),
            ])
        try packing.run("chmod", "777", packing.folder)
        try packing.run("chmod", "644", packing.path("out.fl"))
        // Where everybody may run it.
        let program = packing.path("program")
        try packing.run("cp", BuiltProgram.path("flist"), program)
        let outcome = try ChildProcess.run(
            [
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "unpack", "-q", "out.fl",
                "target",
            ], in: packing.folder, environment: ["HOME": packing.folder])
        #expect(outcome.status == 1)
        #expect(
            outcome.errors == """
                flist: /device: cannot make it: Operation not permitted
                flist: target: 1 entries are missing or not as they should be

                """)
        #expect(
            try packing.run("find", packing.path("target"), "-mindepth", "1", "-printf", "%f %m %U\n").split(
                separator: "\n"
            ).sorted() == ["folder 2775 65534", "last 640 65534", "setuid 755 65534"])
    }
}
