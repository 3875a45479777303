import FlistManager
import Foundation
import Support
import Testing

@Suite(
    "Mounts that fail", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"), .timeLimit(.minutes(5)))
struct MountFailureTests {
    private static let names = [
        "", ".", "..", "../x", "a/b", "/", "/abs", "a/", String(repeating: "x", count: 256), "nul\0", "bad\u{FFFD}",
    ]

    private func text(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test("names that are none are refused, in the words that callers know", arguments: names)
    func name(_ name: String) throws {
        let node = try Node()
        let before = try node.shell("find root -not -path '*/cache/*' | sort").output
        #expect(text { try node.mount(name, limit: 1 << 25) } == "invalid mountpoint: invalid mount name")
        #expect(
            text { _ = try node.flister.updateMountSize(name, limit: 1) } == "invalid mountpoint: invalid mount name")
        #expect(text { _ = try node.flister.exists(name) } == "invalid mountpoint: invalid mount name")
        #expect(text { try node.flister.unmount(name) } == "invalid mount name")
        #expect(try node.shell("find root -not -path '*/cache/*' | sort").output == before)
    }

    @Test(
        "odd but good names work",
        arguments: ["a,b:c\\d", "x,workdir=", " ", "-rf", "ü", "\u{301}x", String(repeating: "n", count: 255)])
    func oddName(_ name: String) throws {
        let node = try Node()
        let path = try node.mount(name, limit: 1 << 25)
        #expect(FileManager.default.contents(atPath: "\(path)/name") == Data("one\n".utf8))
        #expect(try node.flister.hashFromRootPath(path) == node.md5("one"))
        #expect(try node.flister.updateMountSize(name, limit: 1 << 26) == path)
        try node.flister.unmount(name)
        #expect(try node.mounts == [])
    }

    @Test("each says what failed, with which address, and leaves nothing behind")
    func nothingLeft() throws {
        let node = try Node()
        try node.hub.write(Array("no flist at all".utf8), to: "junk.fl")
        // But for what was downloaded.
        let list = "find root -not -path '*/cache/*' -not -path 'root/flist/*' | sort"
        let before = try node.shell(list).output
        let missing = text { try node.mount("a", "missing", limit: 1 << 25) }
        #expect(missing == "ro mount of flist failed: fail to download flist: 404 Not Found (\(node.url("missing")))")
        #expect(text { try node.mount("a") } == "invalid mount option, missing disk type")
        let junk = text { try node.mount("a", "junk", limit: 1 << 25) }
        #expect(junk.hasPrefix("ro mount of flist failed: ") && junk.contains("not a flist"))
        let storage = text { try node.mount("a", limit: 1 << 25) { $0.storage = "gopher://x" } }
        #expect(storage.hasPrefix("ro mount of flist failed: ") && storage.contains("gopher"))
        let relative = text { try node.mount("a") { $0.persistedVolume = "relative" } }
        #expect(relative == "invalid persisted volume: relative is no absolute path")
        let scheme = text { _ = try node.flister.mount("a", url: "ftp://host/x.fl", options: NamedMountOptions()) }
        #expect(scheme.hasPrefix("ro mount of flist failed: "))
        #expect(try node.mounts == [])
        #expect(try node.shell(list).output == before)
    }

    @Test("a volume that was made for a mount that fails goes with it; one that was there stays")
    func volume() throws {
        let node = try Node()
        let path = try node.mount("kept", limit: 1 << 25)
        try node.shell("echo x > \(path)/x; umount \(path)")
        // Its work folder is a file: no overlay can be mounted.
        try node.shell("rm -rf root/volumes/kept/wd; touch root/volumes/kept/wd")
        #expect(text { try node.mount("kept", limit: 1 << 25) } != "no error")
        #expect(try node.shell("ls root/volumes; cat root/volumes/kept/rw/x").output == "kept\nx\n")
        #expect(try node.mounts == [])
        try node.shell("rm root/volumes/kept/wd")
        try node.mount("kept")
        #expect(try node.shell("cat \(path)/x").output == "x\n")
    }
}
