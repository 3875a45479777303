import Foundation
import Glibc
import Support
import TestSupport
import Testing

@testable import FlistManager

@Suite("Named mounts", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"), .timeLimit(.minutes(5)))
struct NamedMountTests {
    private let mebibyte: UInt64 = 1 << 20

    @Test("read-only: the flist's content, and no way to write, remount or delete")
    func readOnly() throws {
        let node = try Node()
        let path = try node.mount("ro", readOnly: true)
        #expect(path == "\(node.root)/mountpoint/ro")
        #expect(try node.shell("diff -r --no-dereference trees/one root/mountpoint/ro").output == "")
        let write = try node.shell("echo x > root/mountpoint/ro/new")
        #expect(write.output.contains("Read-only file system") && write.status == 1)
        #expect(try node.shell("chmod 777 root/mountpoint/ro/name").output.contains("Read-only file system"))
        #expect(try node.mounts == ["mountpoint/ro", "ro/\(node.md5("one"))"])
        // No pool of volumes was made for that.
        #expect(try node.shell("ls root").output == "cache\nflist\nlock\nlog\nmountpoint\npid\nro\n")
    }

    @Test("writable: what is written in one is unseen in another, and in the flist")
    func writable() throws {
        let node = try Node()
        let (a, b) = (try node.mount("a", limit: 64 * mebibyte), try node.mount("b", limit: 64 * mebibyte))
        try node.shell("echo mine > \(a)/new; echo changed > \(a)/changing; rm -r \(a)/d")
        #expect(try node.shell("cat \(a)/new \(a)/changing; ls \(a)").output == "mine\nchanged\nchanging\nname\nnew\n")
        #expect(try node.shell("diff -r trees/one \(b)").output == "")
        try node.mount("c", readOnly: true)
        #expect(try node.shell("diff -r trees/one root/mountpoint/c").output == "")
        // One mount of the flist serves all three.
        #expect(try node.mounts == ["mountpoint/a", "mountpoint/b", "mountpoint/c", "ro/\(node.md5("one"))"])
    }

    @Test("the root shows owner, mode and xattrs of the flist's root")
    func root() throws {
        let node = try Node()
        try node.makeTree("odd", "chown 12:34 .; chmod 1750 .; setfattr -n user.note -v kept .")
        try node.publish("odd")
        let path = try node.mount("odd", "odd", limit: mebibyte * 32)
        #expect(try node.shell("stat -c '%u:%g %a' \(path)").output == "12:34 1750\n")
        #expect(try node.shell("getfattr --absolute-names --only-values -n user.note \(path)").output == "kept")
    }

    @Test("a name that is mounted already answers the same path and stays as it is")
    func again() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 32 * mebibyte)
        try node.shell("echo kept > \(path)/kept")
        #expect(try node.mount("a", "missing", readOnly: true) == path)
        #expect(try node.shell("cat \(path)/kept").output == "kept\n")
    }

    @Test("setuid programs keep their right, devices lose theirs")
    func flags() throws {
        let node = try Node()
        try node.makeTree("suid", "cp /usr/bin/id id; chmod 4755 id; mknod null c 1 3; chmod 666 null")
        try node.publish("suid")
        let path = try node.mount("suid", "suid", limit: 32 * mebibyte)
        #expect(try node.shell("setpriv --reuid 1234 --clear-groups \(path)/id -u").output == "0\n")
        #expect(try node.shell("cat \(path)/null").output.contains("Permission denied"))
    }

    @Test("a limit holds, with what was written whole; it can be raised, and not lowered below what is in use")
    func limit() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 32 * mebibyte)
        let full = try node.shell(
            "for i in $(seq 12); do head -c 4M /dev/zero | tr '\\0' $((i % 10)) > \(path)/$i || break; done")
        #expect(full.output.contains("Disk quota exceeded"))
        #expect(try node.shell("head -c 4M /dev/zero | tr '\\0' 3 | cmp - \(path)/3").status == 0)
        #expect(try node.flister.updateMountSize("a", limit: 96 * mebibyte) == path)
        #expect(try node.shell("rm \(path)/1*; head -c 40M /dev/zero > \(path)/more && sync \(path)/more").status == 0)
        let error = #expect(throws: FlistError.self) { try node.flister.updateMountSize("a", limit: 16 * mebibyte) }
        #expect(error?.code == .invalid)
        #expect(error?.description.contains("cannot lower a to 16.0 MiB") == true)
        #expect(try node.shell("head -c 20M /dev/zero > \(path)/still && sync \(path)/still").status == 0)
    }

    @Test("unmounting deletes what was written, and no error comes for unknown names")
    func unmount() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 32 * mebibyte)
        try node.shell("echo x > \(path)/new")
        try node.flister.unmount("a")
        #expect(try node.mounts == [])
        #expect(try node.shell("ls -A root/mountpoint root/ro").output == "root/mountpoint:\n\nroot/ro:\n")
        #expect(try node.shell("ls root/volumes").output == "")
        try node.flister.unmount("a")
        try node.flister.unmount("never")
        let again = try node.mount("a", limit: 32 * mebibyte)
        #expect(try node.shell("ls \(again)").output == "changing\nd\nname\n")
    }

    @Test("names are their bytes: those that Unicode holds for the same are two mounts")
    func sameForUnicode() throws {
        let node = try Node()
        try node.makeTree("two", "echo two > name")
        try node.publish("two")
        let (one, two) = ("\u{e9}", "e\u{301}")
        let first = try node.mount(one, readOnly: true)
        #expect(try node.flister.exists(two) == false)
        try node.flister.unmount(two)
        let second = try node.mount(two, "two", readOnly: true)
        #expect(try node.shell("cat \(first)/name \(second)/name").output == "one\ntwo\n")
        #expect(try node.flister.hashFromRootPath(first) == node.md5("one"))
        #expect(try node.flister.hashFromRootPath(second) == node.md5("two"))
        try node.flister.unmount(one)
        #expect(try node.shell("cat \(second)/name").output == "two\n")
        try node.flister.unmount(two)
        #expect(try node.mounts == [])
    }

    @Test("a mount that nobody uses is unmounted as soon as the kernel is done with it")
    func lingering() throws {
        let node = try Node()
        let path = try node.mount("a", readOnly: true)
        // A file on its way through a socket is in no process's table.
        let script =
            "import os, socket, sys, time; ends = socket.socketpair(); file = os.open(sys.argv[1], 0); "
            + "socket.send_fds(ends[0], [b'x'], [file]); os.close(file); open('sent', 'w'); time.sleep(0.7)"
        let holder = try ChildProcess(["python3", "-c", script, "\(path)/name"], in: node.folder)
        #expect(eventually { FileManager.default.fileExists(atPath: "\(node.folder)/sent") })
        try node.flister.unmount("a")
        #expect(try node.mounts == [])
        #expect(holder.wait() == .exited(0))
    }

    @Test("the keeper can tell one mount of a flist from the next, though the kernel gives its device number again")
    func keys() throws {
        let node = try Node()
        var keys: [String] = []
        for _ in 0..<3 {
            _ = try node.mount("a", readOnly: true)
            keys.append(try #require(node.flister.shared.all.first).key)
            try node.flister.unmount("a")
            #expect(eventually { node.flister.shared.all.isEmpty })
        }
        #expect(Set(keys).count == 3 && keys.allSatisfy { $0.hasPrefix(keys[0].prefix(33)) })
    }

    @Test("a busy mount is not unmounted; the error says who uses it, and nothing is deleted")
    func busy() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 32 * mebibyte)
        try node.shell("echo x > \(path)/new")
        let holder = try FileDescriptor("\(path)/new", O_RDONLY)
        let sleeper = try ChildProcess(["sleep", "1000"], in: path)
        let error = #expect(throws: FlistError.self) { try node.flister.unmount("a") }
        #expect(error?.code == .busy)
        #expect(
            error?.description
                == "cannot unmount \(path): it is in use by sleep (\(sleeper.pid)); end them first")
        #expect(try node.shell("cat \(path)/new").output == "x\n")
        sleeper.kill()
        _ = consume holder
        try node.flister.unmount("a")
        #expect(try node.mounts == [])
    }

    @Test("a mount below a mount is named when it is in the way")
    func mountBelow() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 32 * mebibyte)
        try node.shell("mount -t tmpfs none \(path)/d")
        let error = #expect(throws: FlistError.self) { try node.flister.unmount("a") }
        #expect(error?.description == "cannot unmount \(path): \(path)/d is mounted below it")
        try node.shell("umount \(path)/d")
        try node.flister.unmount("a")
    }
}
