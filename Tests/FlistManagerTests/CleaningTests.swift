import FlistManager
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Cleaning", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"), .timeLimit(.minutes(5)))
struct CleaningTests {
    @Test("a flist's mount goes with the last named mount that shows it")
    func lastUser() throws {
        let node = try Node()
        try node.mount("a", readOnly: true)
        try node.mount("b", limit: 1 << 25)
        try node.flister.unmount("a")
        #expect(try node.mounts == ["mountpoint/b", "ro/\(node.md5("one"))"])
        try node.flister.unmount("b")
        #expect(try node.mounts == [])
    }

    @Test("stray folders go, files in them stay, and mounts of others are left alone")
    func strays() throws {
        let node = try Node()
        try node.shell("mkdir root/mountpoint/empty root/mountpoint/full root/ro/old; touch root/mountpoint/full/file")
        try node.shell("mkdir root/mountpoint/other; mount -t tmpfs none root/mountpoint/other")
        try node.mount("a", readOnly: true)
        #expect(try node.shell("ls root/mountpoint").output == "a\nfull\nother\n")
        #expect(try node.shell("ls root/ro").output == "\(node.md5("one"))\n")
        #expect(try node.mounts.contains("mountpoint/other"))
    }

    @Test("a mount that lets nobody in, but lives, is not taken for dead")
    func closed() throws {
        let node = try Node()
        let path = "\(node.root)/mountpoint/closed"
        try node.shell("mkdir \(path)")
        // FUSE without allow_other refuses even root, and asks no server before that.
        let device = try FileDescriptor("/dev/fuse", O_RDWR)
        let options = "fd=\(device.number),rootmode=40000,user_id=65534,group_id=65534"
        try #require(Glibc.mount("none", path, "fuse", 0, options) == 0)
        #expect(try node.shell("ls \(path)").output.contains("Permission denied"))
        #expect(try node.flister.exists("closed"))
        #expect(try node.mount("closed", readOnly: true) == path)
        #expect(try node.mounts == ["mountpoint/closed"])
        try node.flister.unmount("closed")
        #expect(try node.mounts == [])
        _ = consume device
    }

    @Test("a mount that hangs is asked by one thread, however often someone wants to know, and counts as alive")
    func hanging() throws {
        func probes() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { thread in
                (try? String(contentsOfFile: "/proc/self/task/\(thread)/comm", encoding: .utf8)) == "probe\n"
            }
        }
        let node = try Node()
        let path = "\(node.root)/mountpoint/hanging"
        try node.shell("mkdir \(path)")
        // Nobody ever reads a request.
        let device = try FileDescriptor("/dev/fuse", O_RDWR)
        let options = "fd=\(device.number),rootmode=40000,user_id=0,group_id=0,allow_other"
        try #require(Glibc.mount("none", path, "fuse", 0, options) == 0)
        for _ in 0..<3 { #expect(try node.flister.exists("hanging")) }
        #expect(try probes() == 1)
        // With its server the mount dies, and is taken away.
        _ = consume device
        #expect(try node.flister.exists("hanging") == false)
        #expect(try node.mounts == [])
    }

    @Test("a flist's mount that is in use stays until it is not")
    func busy() throws {
        let node = try Node()
        try node.mount("a", readOnly: true)
        let shared = try "\(node.root)/ro/\(node.md5("one"))"
        let sleeper = try ChildProcess(["sleep", "1000"], in: shared)
        try node.flister.unmount("a")
        #expect(try node.mounts == ["ro/\(node.md5("one"))"])
        sleeper.kill()
        try node.flister.unmount("a")
        #expect(try node.mounts == [])
    }

    @Test("a flist that was unmounted by someone else is mounted anew")
    func unmountedByOthers() throws {
        let node = try Node()
        try node.mount("a", readOnly: true)
        try node.shell("umount -l root/mountpoint/a root/ro/*")
        try node.mount("b", limit: 1 << 25)
        #expect(try node.shell("cat root/mountpoint/b/name").output == "one\n")
        #expect(try node.mounts == ["mountpoint/b", "ro/\(node.md5("one"))"])
    }

    @Test("a mount whose server was cut off is taken away and mounted again")
    func dead() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 1 << 25)
        try node.shell("echo kept > \(path)/kept")
        // What a crash of the server leaves: a connection that was aborted.
        let device = try #require(
            try MountTable.current().find(target: "\(node.root)/ro/\(node.md5("one"))")?.device.minor)
        try node.shell("mkdir control && mount -t fusectl none control")
        #expect(try node.shell("echo 1 > control/\(device)/abort; umount control").status == 0)
        #expect(try node.shell("cat \(path)/name").status == 1)
        #expect(try node.mount("a", limit: 1 << 25) == path)
        #expect(try node.shell("cat \(path)/name \(path)/kept").output == "one\nkept\n")
    }
}
