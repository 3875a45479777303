import BlockCodec
import FlistImage
import Support
import Testing

@Suite("Writing .fl files")
struct WriterTests {
    private func digest(_ byte: UInt8) throws -> Digest { try #require(Digest([UInt8](repeating: byte, count: 32))) }

    /// Writes one tree; the zstd kind with everything that it has beyond rfs.
    private func write(_ path: String, _ kind: FlistKind) throws -> FlistWriter.Losses {
        let writer = try FlistWriter(path, kind: kind, tags: [("author", "someone")])
        var root = TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o1755)
        root.mtime = Timestamp(seconds: 1_600_000_000, nanoseconds: 999_999_999)
        try writer.add(root)
        var file = TreeEntry(id: 2, parent: 1, name: Array("file".utf8), type: .regular, permissions: 0o4755)
        file.size = 524_288 * 2 + 5
        file.uid = 4_294_967_294
        file.gid = 7
        file.mtime = Timestamp(seconds: -5, nanoseconds: 1)
        file.ctime = Timestamp(seconds: 1 << 33)
        try writer.add(file)
        try writer.addBlock(to: 2, blockID: digest(1), key: digest(2))
        try writer.addName(parent: 4, name: Array("further".utf8), of: 2)
        if kind == .zstd {
            try writer.addHole(to: 2)
        } else {
            try writer.addBlock(to: 2, blockID: digest(1), key: digest(2))
        }
        var other = TreeEntry(id: 3, parent: 4, name: [0x61, 0xff], type: .regular, permissions: 0o644)
        other.size = 3
        try writer.add(other)
        // Blocks of files that are packed at the same time alternate.
        try writer.addBlock(to: 3, blockID: digest(5), key: digest(6))
        try writer.addBlock(to: 2, blockID: digest(3), key: digest(4))
        try writer.add(TreeEntry(id: 4, parent: 1, name: Array("folder".utf8), type: .directory, permissions: 0o700))
        var link = TreeEntry(id: 5, parent: 4, name: Array("link".utf8), type: .symlink, permissions: 0o777)
        link.linkTarget = [0x2f, 0xfe]
        try writer.add(link)
        var device = TreeEntry(id: 6, parent: 1, name: Array("device".utf8), type: .blockDevice, permissions: 0o600)
        device.major = 4095
        device.minor = 1_048_575
        try writer.add(device)
        try writer.addXattr(to: 2, name: Array("user.a".utf8), value: [0, 1, 2])
        try writer.addXattr(to: 1, name: Array("user.empty".utf8), value: [])
        try writer.addRoute(ImageRoute(start: 0, end: 255, url: "dir:///blocks"))
        try writer.finish()
        return writer.losses
    }

    @Test("our own kind gives back everything")
    func zstd() throws {
        let workspace = try Workspace()
        let path = workspace.path("a b%?#.fl")
        #expect(try write(path, .zstd) == FlistWriter.Losses())
        #expect(workspace.names == ["a b%?#.fl"])
        let index = try FlistReader.open(path, indexFolder: nil)
        #expect(index.summary.kind == .zstd)
        #expect(index.summary.codec == .gcmZstd)
        #expect(index.routes == [ImageRoute(start: 0, end: 255, url: "dir:///blocks")])
        #expect(
            index.tags.map { "\($0.key)=\($0.value)" }
                == ["format=flist/2", "codec=zstd", "block-size=524288", "author=someone"])
        let root = try #require(index.attributes(of: TreeIndex.root))
        #expect(root.permissions == 0o1755)
        #expect(root.mtime == Timestamp(seconds: 1_600_000_000, nanoseconds: 999_999_999))
        let number = try #require(index.resolve(path: Array("/file".utf8)))
        let file = try #require(index.attributes(of: number))
        #expect(file.size == 1_048_581)
        #expect(file.mode == 0o104755)
        #expect(file.uid == 4_294_967_294)
        #expect(file.gid == 7)
        #expect(file.nlink == 2)
        #expect(file.mtime == Timestamp(seconds: -5, nanoseconds: 1))
        #expect(file.ctime == Timestamp(seconds: 1 << 33))
        let further = try #require(index.resolve(path: Array("/folder/further".utf8)))
        #expect(index.attributes(of: further) == file)
        let blocks = try #require(index.blocks(of: number))
        #expect(blocks.count == 3)
        #expect(
            blocks[0] == BlockReference(id: try digest(1), key: try digest(2), codec: .gcmZstd, plainLength: 524_288))
        #expect(blocks[1] == nil)
        #expect(blocks[2] == BlockReference(id: try digest(3), key: try digest(4), codec: .gcmZstd, plainLength: 5))
        #expect(index.resolve(path: Array("/folder/a".utf8) + [0xff]) != nil)
        let link = try #require(index.resolve(path: Array("/folder/link".utf8)))
        #expect(index.linkTarget(of: link) == [0x2f, 0xfe])
        let device = try #require(index.resolve(path: Array("/device".utf8)).flatMap { index.attributes(of: $0) })
        #expect(device.type == .blockDevice)
        #expect(device.major == 4095)
        #expect(device.minor == 1_048_575)
        #expect(index.xattr(Array("user.a".utf8), of: number) == [0, 1, 2])
        #expect(index.xattr(Array("user.empty".utf8), of: TreeIndex.root) == [])
    }

    @Test("the rfs kind has rfs' tables, and counts what it cannot hold")
    func rfs() throws {
        let workspace = try Workspace()
        let path = workspace.path("x.fl")
        #expect(try write(path, .rfs) == FlistWriter.Losses(hardLinks: 1, xattrs: 2, nanoseconds: 2, names: 1))
        func ask(_ sql: String) throws -> [String] {
            try workspace.run("sqlite3", path, sql).split(separator: "\n").map(String.init)
        }
        let ours = try ask(
            "SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2")
        let theirs = try workspace.run(
            "sqlite3", "\(Workspace.fixtures)/rfs-mini/mini.fl",
            "SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
        ).split(separator: "\n").map(String.init)
        #expect(ours == theirs)
        for table in ["inode", "extra", "block", "tag", "route"] {
            let columns = "SELECT name, type, pk FROM pragma_table_info('\(table)')"
            #expect(
                try ask(columns)
                    == workspace.run("sqlite3", "\(Workspace.fixtures)/rfs-mini/mini.fl", columns).split(
                        separator: "\n"
                    )
                    .map(String.init))
        }
        #expect(try ask("PRAGMA integrity_check; PRAGMA journal_mode") == ["ok", "delete"])
        #expect(try ask("SELECT parent, name, mode FROM inode WHERE ino = 1") == ["0|/|\(0o041755)"])
        #expect(try ask("SELECT rdev FROM inode WHERE ino = 6") == ["\(0xfff << 8 | 0xff | 0xfff00 << 12)"])
        #expect(try ask("SELECT DISTINCT typeof(id), length(id), typeof(key) FROM block") == ["blob|32|blob"])
        #expect(try ask("SELECT typeof(data) FROM extra") == ["blob"])
        #expect(try ask("SELECT hex(name) FROM inode WHERE ino = 3") == ["61EFBFBD"])
        // The further name is an inode of its own with the same blocks, in the same order.
        #expect(try ask("SELECT ino, parent, name, size FROM inode WHERE ino > 6") == ["7|4|further|1048581"])
        #expect(
            try ask("SELECT hex(substr(id, 1, 1)) FROM block WHERE ino = 7 ORDER BY rowid") == ["01", "01", "03"])
        let index = try FlistReader.open(path, indexFolder: nil)
        #expect(index.summary.kind == .rfs)
        #expect(index.summary.entries == 7)
        #expect(index.tags.map(\.key) == ["codec", "author"])
    }

    @Test("refuses what the kind cannot do")
    func refusals() throws {
        let workspace = try Workspace()
        func code(_ body: () throws -> Void) -> FlistError.Code? {
            do {
                try body()
                return nil
            } catch {
                return (error as? FlistError)?.code
            }
        }
        let path = workspace.path("x.fl")
        #expect(code { _ = try FlistWriter(path, kind: .flist) } == .unsupported)
        #expect(code { _ = try FlistWriter(path, kind: .rfs, blockSize: 4096) } == .usage)
        #expect(code { _ = try FlistWriter(path, kind: .zstd, tags: [("codec", "x")]) } == .usage)
        #expect(code { try FlistWriter(path, kind: .rfs).addHole(to: 1) } == .usage)
        #expect(code { _ = try FlistWriter(workspace.path("no/folder.fl"), kind: .rfs) } == .io)
        let entry = TreeEntry(id: 2, parent: 2, name: [], type: .directory, permissions: 0)
        #expect(code { try FlistWriter(path, kind: .zstd).add(entry) } == .usage)
        #expect(workspace.names == [])
    }

    @Test("leaves nothing behind when it is abandoned, and the file that was there alone")
    func abandon() throws {
        let workspace = try Workspace()
        let path = try workspace.write([1, 2, 3], "x.fl")
        let writer = try FlistWriter(path, kind: .zstd)
        try writer.add(TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o755))
        #expect(workspace.names.count == 2)
        writer.abandon()
        #expect(workspace.names == ["x.fl"])
        #expect(try workspace.read("x.fl") == [1, 2, 3])
        #expect(throws: FlistError.self) { try writer.finish() }
        do { _ = try FlistWriter(path, kind: .zstd) }
        #expect(workspace.names == ["x.fl"])
    }

    @Test("edits tags and routes in place")
    func editor() throws {
        let workspace = try Workspace()
        let path = workspace.path("x.fl")
        _ = try write(path, .zstd)
        do {
            let editor = try FlistEditor(path)
            try editor.setTag("version", "1")
            try editor.setTag("version", "2")
            #expect(try editor.deleteTag("author"))
            #expect(try !editor.deleteTag("author"))
            #expect(throws: FlistError.self) { try editor.setTag("codec", "snappy") }
            #expect(throws: FlistError.self) { try editor.deleteTag("block-size") }
            let route = ImageRoute(start: 16, end: 31, url: "zdb://host:9900/ns")
            try editor.addRoute(route)
            try editor.addRoute(route)
            #expect(try editor.routes().count == 2)
            #expect(try !editor.deleteRoute(ImageRoute(start: 0, end: 31, url: route.url)))
            #expect(try editor.deleteRoutes(to: "dir:///blocks") == 1)
            #expect(try editor.routes() == [route])
        }
        let index = try FlistReader.open(path, indexFolder: nil)
        #expect(index.tags.last.map { "\($0.key)=\($0.value)" } == "version=2")
        #expect(index.routes == [ImageRoute(start: 16, end: 31, url: "zdb://host:9900/ns")])
        #expect(workspace.names == ["x.fl"])
        do {
            _ = try FlistEditor("\(Workspace.fixtures)/zflist-mini/mini.flist")
            Issue.record("a .flist was opened for editing")
        } catch {
            #expect(error.code == .unsupported)
            #expect(error.message.hasSuffix("make a .fl of it first (flist convert)"))
        }
    }
}
