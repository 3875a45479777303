import FlistManager
import Support
import Testing

@Suite(
    "Hashes and facts", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"), .timeLimit(.minutes(5)))
struct HashTests {
    private func text(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("the hash of what is mounted comes from the mount table, for both kinds of mounts")
    func hashFromRootPath() throws {
        let node = try Node()
        let (a, b) = (try node.mount("a", limit: 1 << 25), try node.mount("b", readOnly: true))
        let md5 = try node.md5("one")
        for path in [a, b, "a", "b", "/somewhere/else/a/"] {
            #expect(try node.flister.hashFromRootPath(path) == md5)
        }
        #expect(text { _ = try node.flister.hashFromRootPath("c") } == "path is not a mountpoint")
        try node.shell("mkdir root/mountpoint/t; mount -t tmpfs none root/mountpoint/t")
        #expect(text { _ = try node.flister.hashFromRootPath("t") } == "could not find rootfs hash name")
        #expect(text { _ = try node.flister.hashFromRootPath("") } == "invalid mount name")
    }

    @Test("the hub is asked for a flist's hash")
    func flistHash() throws {
        let node = try Node()
        #expect(try node.flister.flistHash(node.url("one")) == node.md5("one"))
        #expect(text { _ = try node.flister.flistHash(node.url("two")) } == "hash not supported by flist host")
        try node.hub.write(Array("short".utf8), to: "two.fl.md5")
        #expect(text { _ = try node.flister.flistHash(node.url("two")) } == "invalid hash length")
    }

    @Test("only what is mounted exists")
    func exists() throws {
        let node = try Node()
        #expect(try !node.flister.exists("a"))
        try node.mount("a", readOnly: true)
        #expect(try node.flister.exists("a"))
        try node.flister.unmount("a")
        #expect(try !node.flister.exists("a"))
    }

    @Test("a limit is changed only of what is mounted and has one")
    func updateMountSize() throws {
        let node = try Node()
        #expect(
            text { _ = try node.flister.updateMountSize("a", limit: 1) }
                == "flist not mounted: nothing is mounted at \(node.root)/mountpoint/a")
        try node.mount("a", readOnly: true)
        #expect(
            text { _ = try node.flister.updateMountSize("a", limit: 1) } == "cannot limit a: it is mounted read-only")
    }
}
