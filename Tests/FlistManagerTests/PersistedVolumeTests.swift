import FlistManager
import Foundation
import Support
import Testing

@Suite(
    "Persisted volumes", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"), .timeLimit(.minutes(5)))
struct PersistedVolumeTests {
    @Test("take what is written, survive unmounting, and come back with the next mount")
    func survive() throws {
        let node = try Node()
        let folder = node.path("mine")
        let path = try node.mount("a") { $0.persistedVolume = folder }
        try node.shell("echo kept > \(path)/kept")
        try node.flister.unmount("a")
        #expect(try node.shell("cat mine/rw/kept").output == "kept\n")
        let again = try node.mount("b") { $0.persistedVolume = folder }
        #expect(try node.shell("cat \(again)/kept").output == "kept\n")
        let error = #expect(throws: FlistError.self) { try node.flister.updateMountSize("b", limit: 1 << 30) }
        #expect(
            error?.description
                == "cannot limit b: what it writes goes to \(folder)/rw, a folder without a limit")
    }

    @Test("are never deleted, even if they are a volume that has the name of the mount")
    func volumeOfTheSameName() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 1 << 25)
        try node.shell("echo kept > \(path)/kept; umount \(path)")
        let volume = "\(node.root)/volumes/a"
        try node.mount("a") { $0.persistedVolume = volume }
        try node.flister.unmount("a")
        #expect(try node.shell("cat root/volumes/a/rw/kept").output == "kept\n")
    }

    @Test("are not deleted under another mount that uses them")
    func usedByAnother() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 1 << 25)
        try node.shell("echo kept > \(path)/kept; umount \(path)")
        let other = try node.mount("b") { $0.persistedVolume = "\(node.root)/volumes/a" }
        try node.flister.unmount("a")
        #expect(try node.shell("cat \(other)/kept").output == "kept\n")
    }

    @Test("of a Mount that failed do not keep the volume of another name")
    func failed() throws {
        let node = try Node()
        try node.mount("a", limit: 1 << 25)
        #expect(throws: FlistError.self) {
            try node.mount("b") { $0.persistedVolume = "\(node.root)/volumes/a" }
        }
        try node.flister.unmount("a")
        #expect(try node.shell("ls root/volumes").output == "")
    }

    @Test("are not deleted with a volume that they lie in, whatever leads there")
    func insideOfAVolume() throws {
        let node = try Node()
        try node.mount("a", limit: 1 << 25)
        try node.shell("umount \(node.root)/mountpoint/a; ln -s root/volumes/a link")
        let path = try node.mount("b") { $0.persistedVolume = node.path("link/deep/mine") }
        try node.shell("echo kept > \(path)/kept")
        try node.flister.unmount("b")
        try node.flister.unmount("a")
        #expect(try node.shell("cat root/volumes/a/deep/mine/rw/kept").output == "kept\n")
    }

    @Test("of any names are taken as they are")
    func names() throws {
        let node = try Node()
        // An accent that belongs to the character before it.
        let folder = node.path("back\\\u{301}slash,\u{301}comma:\u{301}colon")
        let path = try node.mount("a") { $0.persistedVolume = folder }
        try node.shell("echo kept > \(path)/kept")
        #expect(FileManager.default.contents(atPath: folder + "/rw/kept") == Data("kept\n".utf8))
    }
}
