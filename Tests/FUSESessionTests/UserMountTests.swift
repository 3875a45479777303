import CLinux
import FUSESession
import Foundation
import Glibc
import Support
import Testing

@Suite(
    "Mounts of an ordinary user", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: access("/usr/bin/fusermount3", X_OK) == 0, "needs fusermount3"))
struct UserMountTests {
    /// Runs `body` in a thread that has become the user nobody, with a FUSE device that is open to all.
    ///
    /// On Linux each thread has rights and mounts of its own, so nothing else sees either.
    private func asNobody(
        in folder: String, opening mode: mode_t = 0o666, _ body: @escaping @Sendable () throws -> Void
    ) throws {
        typealias Call = @convention(c) (Int, Int, Int, Int) -> Int
        let symbol = try #require(dlsym(nil, "syscall"))
        nonisolated(unsafe) let systemCall = unsafeBitCast(symbol, to: Call.self)
        let result = Monitor<Result<Void, any Error>?>(nil)
        let device = "\(folder)/fuse"
        let thread = try WorkerThread("nobody") {
            let nobody = 65534
            let newNamespace = 0x20000
            let outcome = Result {
                try #require(systemCall(Int(SYS_unshare), newNamespace, 0, 0) == 0)
                try #require(Glibc.mount(nil, "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0)
                try #require(mknod(device, S_IFCHR, gnu_dev_makedev(10, 229)) == 0)
                try #require(chmod(device, mode) == 0)
                try #require(Glibc.mount(device, "/dev/fuse", nil, UInt(MS_BIND), nil) == 0)
                try #require(systemCall(Int(SYS_setgroups), 0, 0, 0) == 0)
                try #require(systemCall(Int(SYS_setresgid), nobody, nobody, nobody) == 0)
                try #require(systemCall(Int(SYS_setresuid), nobody, nobody, nobody) == 0)
                try #require(geteuid() == 65534)
                try body()
            }
            result.withLock { $0 = outcome }
        }
        thread.join()
        try result.withLock { $0 }?.get()
    }

    @Test("open by messages, or not at all, where passthrough was asked for", arguments: [OpenMode.message, .none])
    func passthrough(instead: OpenMode) throws {
        try withFolder { folder in
            let target = "\(folder)/target"
            try makeFolder(target)
            try #require(chmod(folder, 0o755) == 0)
            try #require(chown(target, 65534, 65534) == 0)
            try asNobody(in: folder) {
                var tree = MemoryTree()
                tree.file("hello", "hello")
                var options = MountOptions(source: "a")
                options.opens = .passthrough
                options.insteadOfPassthrough = instead
                let session = try FUSESession.mount(MemoryFileSystem(tree), at: target, options: options)
                #expect(session.opens == instead)
                for _ in 0..<3 { #expect(try text("\(target)/hello") == "hello") }
                #expect(session.requests[.open] == (instead == .message ? 3 : 1))
                #expect(session.requests[.read] == 1)
                try session.stop()
            }
        }
    }

    @Test("go through fusermount3, are seen by that user only, and are unmounted the same way")
    func mount() throws {
        try withFolder { folder in
            let target = "\(folder)/target"
            try makeFolder(target)
            try #require(chmod(folder, 0o755) == 0)
            try #require(chown(target, 65534, 65534) == 0)
            try asNobody(in: folder) {
                var tree = MemoryTree()
                tree.file("hello", "hello")
                tree.file("inner", "x", in: tree.folder("folder"))
                var options = MountOptions(source: "a,b\\c")
                #expect(!options.allowOther)
                options.workers = 2
                let session = try FUSESession.mount(MemoryFileSystem(tree), at: target, options: options)
                #expect(try text("\(target)/hello") == "hello")
                #expect(try names("\(target)/folder").count == 3)
                #expect(try text("\(target)/folder/inner") == "x")
                #expect(throws: Errno.noEntry) { try status("\(target)/none") }
                #expect(throws: Errno.noEntry) { try status("\(target)/none") }
                #expect(session.requests[.open] == 1)
                let entry = try #require(try MountTable.current().find(target: target))
                #expect(entry.type == "fuse.flist")
                #expect(entry.source == "a,b\\c")
                #expect(entry.superOptions.contains("user_id=65534"))
                #expect(entry.options.contains("nosuid"))
                let file = try FileDescriptor("\(target)/hello", O_RDONLY)
                #expect { try unmount(target) } throws: { ($0 as? FlistError)?.code == .busy }
                _ = consume file
                try session.stop()
                #expect(session.hasEnded)
                #expect(try MountTable.current().find(target: target) == nil)
            }
        }
    }

    @Test("are refused where the folder is not the user's, and with an overlay")
    func refused() throws {
        try withFolder { folder in
            let target = "\(folder)/target"
            try makeFolder(target)
            try #require(chmod(folder, 0o755) == 0)
            try asNobody(in: folder) {
                let options = MountOptions(source: "x")
                let fileSystem = MemoryFileSystem(MemoryTree())
                #expect {
                    try FUSESession.mount(fileSystem, at: target, options: options)
                } throws: {
                    ($0 as? FlistError)?.code == .permission
                }
                let layers = OverlayOptions(upper: folder, work: folder)
                #expect {
                    try FUSESession.mount(fileSystem, at: target, options: options, overlay: layers)
                } throws: {
                    ($0 as? FlistError)?.code == .permission
                }
            }
        }
    }

    @Test("are refused where the device is closed to users")
    func closedDevice() throws {
        try withFolder { folder in
            try #require(chmod(folder, 0o777) == 0)
            try asNobody(in: folder, opening: 0o600) {
                #expect {
                    try FUSESession.mount(
                        MemoryFileSystem(MemoryTree()), at: folder, options: MountOptions(source: "x"))
                } throws: {
                    "\($0)".hasPrefix("cannot open /dev/fuse: run as root, or open the device to users")
                }
            }
        }
    }
}
