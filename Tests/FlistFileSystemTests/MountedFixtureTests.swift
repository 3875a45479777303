import FlistContent
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Mounted fixtures", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct MountedFixtureTests {
    private let script = """
        import hashlib, os, stat, sys
        root = os.fsencode(sys.argv[1])
        def one(path, rel):
            st = os.lstat(path)
            kind = stat.filemode(st.st_mode)[0]
            link = os.readlink(path) if kind == 'l' else b'-'
            digest = '-'
            if kind == '-':
                digest = hashlib.sha256(open(path, 'rb').read()).hexdigest()
                assert st.st_blocks == (st.st_size + 511) // 512, (rel, st.st_blocks)
            size = st.st_size if kind in '-l' else 0
            rdev = '%d:%d' % (os.major(st.st_rdev), os.minor(st.st_rdev)) if kind in 'bc' else '-'
            if kind == 'd':
                assert st.st_nlink == 2 + sum(e.is_dir(follow_symlinks=False) for e in os.scandir(path)), rel
            else:
                assert st.st_nlink == 1, rel
            print(kind, '%04o' % stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid, size, int(st.st_mtime), rdev,
                repr(os.fsdecode(link)), digest, repr(os.fsdecode(rel)), sep=' ')
        one(root, b'.')
        for base, folders, files in os.walk(root):
            for name in folders + files:
                path = os.path.join(base, name)
                one(path, os.path.relpath(path, root))
        """

    private func lines(of text: String) -> Set<String> { Set(text.split(separator: "\n").map(String.init)) }

    private func manifest() throws -> Set<String> {
        lines(of: try String(contentsOfFile: "\(MountPlace.fixtures)/mini.manifest", encoding: .utf8))
    }

    private func tree(of place: MountPlace) throws -> Set<String> {
        try script.write(toFile: place.path("walk.py"), atomically: true, encoding: .utf8)
        let (output, status) = try place.shell("python3 walk.py target")
        try #require(status == 0, "\(output)")
        return lines(of: output)
    }

    /// What the formats hold of the manifest's lines.
    private func expected(_ change: (String) -> String) throws -> Set<String> { Set(try manifest().map(change)) }

    /// What statfs(2) says is what the lines say.
    private func expectTotals(of place: MountPlace, like lines: Set<String>) {
        var totals = statvfs()
        #expect(statvfs(place.target, &totals) == 0)
        let sizes = lines.filter { $0.hasPrefix("- ") }.compactMap { UInt64($0.split(separator: " ")[4]) }
        #expect(totals.f_files == lines.count && totals.f_ffree == 0)
        #expect(totals.f_frsize == 4096 && UInt64(totals.f_blocks) == (sizes.reduce(0, +) + 4095) / 4096)
        #expect(totals.f_bfree == 0 && totals.f_bavail == 0 && totals.f_flag & UInt(ST_RDONLY) != 0)
    }

    @Test("a genuine .flist with its blocks in redis is the tree it was made of", .timeLimit(.minutes(5)))
    func flistFromRedis() throws {
        let place = try MountPlace()
        let redis = try RedisServer()
        let blocks = "\(MountPlace.fixtures)/zflist-mini/blocks"
        for path in try FileManager.default.subpathsOfDirectory(atPath: blocks) where path.contains("/") {
            let id = try #require(Digest(hex: String(path.split(separator: "/")[1])))
            #expect(id.count == 16)
            let stored = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(blocks)/\(path)")))
            try redis.set(id.bytes, stored)
        }
        let options = try place.options(stores: ["redis://127.0.0.1:\(redis.port)"])
        try place.mounted("\(MountPlace.fixtures)/zflist-mini/mini.flist", options) { open throws in
            let found = try tree(of: place)
            let expected = try expected { line in
                // Special files are all written as sockets; those with a device number are taken for character devices.
                switch line.first {
                case "b": "c" + line.dropFirst()
                case "p": "s" + line.dropFirst()
                default: line
                }
            }
            // The root's own attributes are not in the format.
            let isRoot: (String) -> Bool = { $0.hasSuffix(" '.'") }
            #expect(found.count == 792)
            #expect(found.filter { !isRoot($0) } == expected.filter { !isRoot($0) })
            #expect(open.fetcher.statistics.blocks == 741)
            expectTotals(of: place, like: found)
        }
    }

    private func checkFungi(_ place: MountPlace, store: String) throws {
        try place.mounted("\(MountPlace.fixtures)/rfs-mini/mini.fl", place.options(stores: [store])) { _ throws in
            let found = try tree(of: place)
            expectTotals(of: place, like: found)
            let expected = try expected {
                // The writer put replacement characters into the one name that is not UTF-8.
                $0.replacingOccurrences(of: "\\udcff", with: "\u{fffd}").replacingOccurrences(
                    of: "\\udcfe", with: "\u{fffd}")
            }
            #expect(found.count == 792)
            #expect(found.symmetricDifference(expected).sorted() == [])
        }
    }

    @Test("an .fl of rfs with its blocks in a folder is the tree it was made of", .timeLimit(.minutes(5)))
    func fungiFromFolder() throws {
        try checkFungi(MountPlace(), store: "dir://\(MountPlace.fixtures)/rfs-mini/blocks")
    }

    @Test("an .fl of rfs with its blocks behind nginx is the tree it was made of", .timeLimit(.minutes(5)))
    func fungiFromNginx() throws {
        let place = try MountPlace()
        let server = try NginxServer()
        try place.shell("cp -r \(MountPlace.fixtures)/rfs-mini/blocks/. \(server.root)")
        try checkFungi(place, store: server.url)
    }
}
