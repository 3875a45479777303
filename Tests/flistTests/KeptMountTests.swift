import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite(
    "Mounts that outlive their process", .serialized,
    .enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0, "needs root and /dev/fuse"))
struct KeptMountTests {
    private static let killTest = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("scripts/kill-test").path

    @Test(
        "readers see no error and no wrong byte while it is killed and replaced again and again",
        .timeLimit(.minutes(5)), arguments: [("none+overlay", 20, 2), ("passthrough", 6, 2)])
    func killed(mode: String, kills: Int, upgrades: Int) throws {
        let outcome = try ChildProcess.run([
            "python3", Self.killTest, "--flist", FlistProgram.path, "--modes", mode, "--kills", "\(kills)",
            "--upgrades", "\(upgrades)",
        ])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains(" \(kills) kills") && outcome.output.contains(" \(upgrades) upgrades"))
    }

    @Test("a flist that is gone, or another one, is not needed to go on", .timeLimit(.minutes(5)))
    func lostFlist() throws {
        let mount = try KeptMount()
        try mount.program.shell("mv tree.fl tree.old; echo nonsense > tree.fl")
        try mount.kill()
        #expect(try mount.program.shell("cat target/file && ls target/sub").output == "helloagain\nlink\n")
        #expect(try mount.program.flist("umount", "target").status == 0)
        #expect(mount.ends())
    }

    @Test("fails instead of hanging when nobody goes on", .timeLimit(.minutes(5)))
    func nobody() throws {
        let mount = try KeptMount()
        try mount.program.shell("rm copy")
        try mount.kill()
        #expect(try mount.fails())
        #expect(mount.ends())
    }

    @Test("fails instead of hanging when a successor hangs", .timeLimit(.minutes(5)))
    func hanging() throws {
        let mount = try KeptMount("-o", "keep=1")
        try mount.program.shell("printf '#!/bin/sh\\nexec sleep 1000\\n' > new; chmod 755 new; mv new copy")
        try mount.kill()
        #expect(try mount.fails())
        #expect(mount.ends())
    }

    @Test("an unmount while nobody serves ends the keeper", .timeLimit(.minutes(5)))
    func unmountedMeanwhile() throws {
        let mount = try KeptMount()
        try mount.program.shell("printf '#!/bin/sh\\nexec sleep 1000\\n' > new; chmod 755 new; mv new copy")
        try mount.kill()
        try mount.program.shell("umount target")
        // The successor is a shell first.
        #expect(eventually { !mount.processes(with: "sleep").isEmpty })
        let sleeper = try #require(mount.processes(with: "sleep").first)
        #expect(Glibc.kill(sleeper, SIGKILL) == 0)
        #expect(mount.ends())
    }

    @Test("ends with its process when it is told to", .timeLimit(.minutes(5)))
    func unkept() throws {
        let mount = try KeptMount("-o", "keep=0")
        #expect(mount.keeper == nil)
        let server = try #require(mount.server)
        Glibc.kill(server, SIGKILL)
        #expect(eventually { mount.server == nil })
        // Its descriptors are closed a little after it is gone.
        #expect(
            try eventually {
                try mount.program.shell("cat target/file").errors.contains("Transport endpoint is not connected")
            })
    }

    /// Locks of Swift's know a thread by a number that it asks for once (LinuxImpl.swift of its Synchronization module):
    /// the first thread of a process that was forked has its parent's, and whoever waits for a lock of it crashes.
    @Test("the first thread of a process that was forked only waits for another", .timeLimit(.minutes(5)))
    func forked() throws {
        let mount = try KeptMount()
        let server = try #require(mount.server)
        // futex(2) with the number of the thread that is waited for, as pthread_join(3) does.
        let call = try mount.program.shell("cut -d' ' -f4 /proc/\(server)/task/\(server)/syscall").output
        let awaited = try #require(Int(call.dropFirst(2).prefix { $0 != "\n" }, radix: 16))
        #expect(try mount.program.shell("cat /proc/\(server)/task/\(awaited)/comm").output == "serve\n")
    }

    @Test("SIGTERM to either process ends both and the mount", .timeLimit(.minutes(5)), arguments: [true, false])
    func terminated(toKeeper: Bool) throws {
        let mount = try KeptMount()
        let process = try #require(toKeeper ? mount.keeper : mount.server)
        Glibc.kill(process, SIGTERM)
        #expect(mount.ends())
        #expect(try mount.program.shell("mountpoint -q target").status != 0)
    }

    @Test("SIGTERM that comes while nobody serves ends the mount, too", .timeLimit(.minutes(5)))
    func terminatedBetween() throws {
        let mount = try KeptMount()
        let (keeper, server) = (try #require(mount.keeper), try #require(mount.server))
        Glibc.kill(keeper, SIGSTOP)
        Glibc.kill(server, SIGKILL)
        #expect(eventually { mount.server == nil })
        Glibc.kill(keeper, SIGTERM)
        Glibc.kill(keeper, SIGCONT)
        #expect(mount.ends())
        #expect(try mount.program.shell("mountpoint -q target").status != 0)
    }
}

/// A mount by a copy of the program, which can be replaced, and its processes.
private final class KeptMount {
    let program: FlistProgram

    init(_ options: String...) throws {
        program = try FlistProgram()
        try program.makeTree()
        let words = options.joined(separator: " ")
        let outcome = try program.shell(
            "mkdir target; cp $FLIST copy; ./copy mount \(words) tree.fl target --cache \(program.path("cache"))")
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    deinit { _ = try? program.shell("umount -l target 2>/dev/null") }

    var keeper: pid_t? { processes(with: "flist-keeper").first }
    var server: pid_t? { processes(with: "copy").first }

    /// Those of the mount, by what the kernel calls them.
    func processes(with name: String) -> [pid_t] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { pid_t($0) }.filter { number in
            let text = { (file: String) -> String in
                let bytes = FileManager.default.contents(atPath: "/proc/\(number)/\(file)") ?? Data()
                return String(decoding: bytes, as: UTF8.self)
            }
            let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(number)/cwd")
            return folder == program.folder && text("comm") == name + "\n"
                && text("status").contains("State:\tZ") == false
        }
    }

    /// Kills the process that serves.
    func kill() throws {
        let server = try #require(server)
        Glibc.kill(server, SIGKILL)
        #expect(eventually { self.server != server })
    }

    /// Whether reading ends with an error: another one for those who wait when the mount fails than for those who come later.
    func fails() throws -> Bool {
        let errors = try program.shell("cat target/file").errors
        return errors.contains("Transport endpoint is not connected")
            || errors.contains("Software caused connection abort")
    }

    /// Whether all processes of the mount end.
    func ends() -> Bool { eventually { keeper == nil && server == nil } }
}
