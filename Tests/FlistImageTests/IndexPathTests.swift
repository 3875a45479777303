import BlockCodec
import FlistImage
import Support
import Testing

@Suite("Paths in a tree index")
struct IndexPathTests {
    private func index() throws -> TreeIndex {
        let info = TreeIndexInfo(
            flistHash: BLAKE2b.hash([], .bytes32), kind: .zstd, codec: .gcmZstd, blockSize: 524_288)
        var builder = TreeIndexBuilder(info: info)
        try builder.add(TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o755))
        try builder.add(TreeEntry(id: 2, parent: 1, name: Array("usr".utf8), type: .directory, permissions: 0o755))
        try builder.add(TreeEntry(id: 3, parent: 2, name: Array("bin".utf8), type: .directory, permissions: 0o755))
        try builder.add(TreeEntry(id: 4, parent: 3, name: Array("dash".utf8), type: .regular, permissions: 0o755))
        var number: UInt64 = 5
        for (parent, name, target) in [
            (UInt64(1), "bin", "usr/bin"), (3, "sh", "dash"), (3, "up", "../../../../usr/bin/dash"),
            (3, "absolute", "/bin/dash"), (1, "loop", "loop"), (1, "dangling", "nowhere"),
        ] {
            var link = TreeEntry(id: number, parent: parent, name: Array(name.utf8), type: .symlink, permissions: 0o777)
            link.linkTarget = Array(target.utf8)
            try builder.add(link)
            number += 1
        }
        return try builder.finish()
    }

    @Test(
        "leads through symlinks inside the tree",
        arguments: [
            "/usr/bin/dash", "bin/dash", "/bin/sh", "/bin/up", "/bin/absolute", "/bin/../bin/./sh", "/../bin/sh",
        ])
    func follows(path: String) throws {
        let index = try index()
        let found = try #require(index.resolve(path: Array(path.utf8), followingLast: true))
        #expect(index.path(of: found) == Array("/usr/bin/dash".utf8))
    }

    @Test("stops at a symlink at the end unless it is asked to follow")
    func last() throws {
        let index = try index()
        let found = try #require(index.resolve(path: Array("/bin/sh".utf8)))
        #expect(index.path(of: found) == Array("/usr/bin/sh".utf8))
    }

    @Test(
        "finds nothing where links turn in a circle, lead nowhere, or a file has a path below",
        arguments: ["/loop", "/dangling", "/usr/bin/dash/x", "/usr/bin/dash/.."])
    func fails(path: String) throws {
        #expect(try index().resolve(path: Array(path.utf8), followingLast: true) == nil)
    }
}
