import FlistImage
import Foundation
import Support
import Testing

@Suite("Archives")
struct ArchiveTests {
    private func refusal(_ path: String) -> String {
        let (outcome, faults) = Outcome.of(path)
        #expect(faults == [])
        guard case .refused(let line) = outcome else { return "accepted" }
        return line
    }

    @Test("reads a .flist compressed by anything or nothing", arguments: ["gzip", "zstd", "xz", "bzip2", "cat"])
    func compressions(program: String) throws {
        let workspace = try Workspace()
        let database = try FlistBuilder().database(in: workspace)
        let router = Array("pools: {}\n".utf8)
        _ = try workspace.write(
            TarBuilder.archive(
                TarBuilder.member("./", type: "5"), TarBuilder.member("../../escape", [1]),
                TarBuilder.member("/tmp/absolute", [1]),
                TarBuilder.member("router.yaml", router),
                TarBuilder.member("flistdb.sqlite3", try Workspace.read(database)),
                TarBuilder.member("sub/flistdb.sqlite3", [1])), "x.tar")
        try workspace.run("sh", "-c", "\(program) < x.tar > x.flist")
        let before = workspace.names
        let index = try FlistReader.open(workspace.path("x.flist"), indexFolder: nil)
        #expect(index.routerYAML == router)
        #expect(index.summary.entries == 5)
        #expect(workspace.names == before)
        #expect(!FileManager.default.fileExists(atPath: "/tmp/absolute"))
    }

    @Test("reads a folder, with and without a router")
    func folder() throws {
        let workspace = try Workspace()
        _ = try FlistBuilder().database(in: workspace)
        let bare = try FlistReader.open(workspace.folder, indexFolder: nil)
        #expect(bare.routerYAML == nil)
        _ = try workspace.write(Array("lookup: []\n".utf8), "router.yaml")
        let routed = try FlistReader.open(workspace.folder, indexFolder: nil)
        #expect(routed.routerYAML == Array("lookup: []\n".utf8))
        #expect(routed.summary.flistHash != bare.summary.flistHash)
        _ = try workspace.write([UInt8](repeating: 35, count: (1 << 20) + 1), "router.yaml")
        #expect(refusal(workspace.folder).hasSuffix("router.yaml is larger than 1 MiB"))
    }

    @Test("refuses archives with the wrong members")
    func members() throws {
        let workspace = try Workspace()
        let database = try Workspace.read(FlistBuilder().database(in: workspace))
        func refused(_ members: [UInt8]...) throws -> String {
            refusal(try workspace.write(members.flatMap { $0 } + [UInt8](repeating: 0, count: 1024), "x.flist"))
        }
        let sound = TarBuilder.member("flistdb.sqlite3", database)
        let router = TarBuilder.member("router.yaml", [1])
        #expect(
            try refused(sound, TarBuilder.member("./flistdb.sqlite3", database)).hasSuffix(
                "holds flistdb.sqlite3 twice"))
        #expect(try refused(sound, router, router).hasSuffix("holds router.yaml twice"))
        #expect(try refused(router).hasSuffix("holds no flistdb.sqlite3"))
        #expect(try refused(TarBuilder.member("../flistdb.sqlite3", database)).hasSuffix("holds no flistdb.sqlite3"))
        #expect(
            try refused(TarBuilder.member("flistdb.sqlite3", type: "2", link: "/etc/passwd")).hasSuffix(
                "is not a regular file"))
        #expect(
            try refused(TarBuilder.member("flistdb.sqlite3", type: "1", link: "x")).hasSuffix("is not a regular file"))
        #expect(try refused(TarBuilder.member("flistdb.sqlite3", type: "5")).hasSuffix("is not a regular file"))
        #expect(try refused(TarBuilder.member("flistdb.sqlite3", size: 0o77777777777), sound) != "accepted")
        #expect(
            try refused(sound, TarBuilder.member("router.yaml", [UInt8](repeating: 1, count: (1 << 20) + 1))).hasSuffix(
                "its router.yaml is larger than 1.0 MiB"))
        #expect(
            try refused(TarBuilder.member("flistdb.sqlite3", [1, 2, 3])).hasSuffix(
                "its flistdb.sqlite3 is not a database"))
        #expect(try refused(TarBuilder.member("flistdb.sqlite3")).hasSuffix("its flistdb.sqlite3 is not a database"))
        #expect(workspace.names == ["flistdb.sqlite3", "x.flist"])
    }

    @Test("refuses what is small only while it is packed", arguments: ["flistdb.sqlite3", "something else"])
    func bomb(member: String) throws {
        let workspace = try Workspace()
        _ = try workspace.write(TarBuilder.member(member, size: 400 << 20), "header")
        try workspace.run("sh", "-c", "(cat header; head -c 400M /dev/zero) | xz -0 > x.flist")
        #expect(refusal(workspace.path("x.flist")).contains("far more than its size allows"))
        try workspace.run("sh", "-c", "gzip < header | gzip > y.flist")
        #expect(refusal(workspace.path("y.flist")).contains("is compressed more than once"))
    }

    @Test("refuses a sparse member, which a few bytes would fill up to any size")
    func sparse() throws {
        let workspace = try Workspace()
        let script = """
            import io, tarfile
            out = tarfile.open("x.flist", "w", format=tarfile.PAX_FORMAT)
            info = tarfile.TarInfo("flistdb.sqlite3")
            info.size = 1024
            info.pax_headers = {"GNU.sparse.size": str(1 << 30), "GNU.sparse.numblocks": "2",
                                "GNU.sparse.map": "0,512,%d,512" % ((1 << 30) - 512)}
            out.addfile(info, io.BytesIO(bytes(1024)))
            out.close()
            """
        try workspace.run("python3", "-", input: script)
        #expect(refusal(workspace.path("x.flist")).hasSuffix("its flistdb.sqlite3 is sparse"))
    }

    @Test("refuses what is no flist at all")
    func others() throws {
        let workspace = try Workspace()
        #expect(refusal(try workspace.write([], "x")).hasSuffix("neither a database nor an archive: not a flist"))
        #expect(refusal(try workspace.write(Array("#!/bin/sh\n".utf8), "x")).hasSuffix("not a flist"))
        #expect(refusal(try workspace.write(Array("SQLite format 3\0".utf8), "x")) != "accepted")
        #expect(refusal(try workspace.write([0x1f, 0x8b], "x")) != "accepted")
        #expect(
            refusal(try workspace.database("y", "CREATE TABLE t (x);")).hasSuffix(
                "neither the table entries nor inode: not a flist"))
        do {
            _ = try FlistReader.open(workspace.path("missing"), indexFolder: nil)
            Issue.record("opened what is not there")
        } catch {
            #expect(error.code == .notFound)
        }
        #expect(refusal("/dev/null").hasSuffix("neither a file nor a folder: not a flist"))
    }

    @Test("knows a file again that nobody has touched, and one that somebody has")
    func memory() throws {
        let workspace = try Workspace()
        let indexes = try Workspace()
        let path = workspace.path("x.flist")
        try workspace.run("cp", "\(Workspace.fixtures)/zflist-mini/mini.flist", path)
        let first = try FlistReader.open(path, indexFolder: indexes.folder)
        // Too fresh to be remembered.
        #expect(indexes.names == ["\(first.summary.flistHash).tree"])
        try workspace.run("sleep", "5")
        _ = try FlistReader.open(path, indexFolder: indexes.folder)
        #expect(indexes.names.filter { $0.hasSuffix(".seen") }.count == 1)
        #expect(try FlistReader.open(path, indexFolder: indexes.folder).summary == first.summary)
        // Other bytes of the same length at the same time of modification.
        var bytes = try workspace.read("x.flist")
        bytes[9] ^= 4
        let times = try workspace.run("stat", "-c", "%y", path).split(separator: "\n").first.map(String.init) ?? ""
        try workspace.run(
            "sh", "-c", "printf '\\\(String(bytes[9], radix: 8))' | dd of=x.flist bs=1 seek=9 conv=notrunc 2>/dev/null")
        try workspace.run("touch", "-d", times, path)
        let second = try FlistReader.open(path, indexFolder: indexes.folder)
        #expect(second.summary.flistHash != first.summary.flistHash)
        #expect(second.summary.flistHash == BLAKE2b.hash(bytes, .bytes32))
    }

    @Test("keeps an index by the flist's hash, and mends a damaged one")
    func index() throws {
        let workspace = try Workspace()
        let path = "\(Workspace.fixtures)/zflist-mini/mini.flist"
        let first = try FlistReader.open(path, indexFolder: workspace.folder)
        let name = "\(first.summary.flistHash).tree"
        #expect(workspace.names.contains(name))
        #expect(first.summary.flistHash == BLAKE2b.hash(try Workspace.read(path), .bytes32))
        let sound = try workspace.read(name)
        #expect(try FlistReader.open(path, indexFolder: workspace.folder).summary == first.summary)
        var damaged = sound
        damaged[damaged.count / 2] ^= 1
        _ = try workspace.write(damaged, name)
        #expect(try FlistReader.open(path, indexFolder: workspace.folder).summary == first.summary)
        #expect(try workspace.read(name) == sound)
        // A folder that is not there is no reason not to read a flist.
        #expect(try FlistReader.open(path, indexFolder: workspace.path("none")).summary == first.summary)
        _ = try? FlistReader.open(workspace.write([0x1f, 0x8b], "bad"), indexFolder: workspace.folder)
        #expect(workspace.names.filter { !$0.hasSuffix(".seen") } == [name, "bad"].sorted())
    }
}
