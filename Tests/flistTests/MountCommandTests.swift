import Foundation
import Glibc
import Testing

@Suite(
    "Mounting by the program", .serialized,
    .enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0, "needs root and /dev/fuse"))
struct MountCommandTests {
    @Test("mounts in the background, serves, and unmounts", .timeLimit(.minutes(5)))
    func background() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        try program.shell("mkdir target")
        let outcome = try program.flist("mount", "tree.fl", "target", "--cache", program.path("cache"))
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == "" && outcome.errors == "")
        #expect(
            try program.shell("mountpoint -q target && diff -r --no-dereference tree/sub target/sub && cat target/file")
                .output == "hello")
        #expect(try program.flist("umount", "target").status == 0)
        #expect(try program.shell("mountpoint -q target").status != 0)
        let again = try program.flist("umount", "target")
        #expect(again.status == 1)
        #expect(again.errors == "flist: cannot unmount target: nothing is mounted there\n")
    }

    @Test("where the first descriptors are closed, none of its files gets their numbers", .timeLimit(.minutes(5)))
    func closedDescriptors() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let outcome = try program.shell(
            """
            mkdir target; "$FLIST" mount tree.fl target --cache cache <&- >&- 2>&-; echo $?
            cat target/file; echo; "$FLIST" umount target
            "$FLIST" mount -f tree.fl target --cache cache <&- >&- 2>&- & child=$!
            for i in $(seq 400); do mountpoint -q target && break; sleep 0.05; done
            cat target/file; echo; readlink /proc/$child/fd/0 /proc/$child/fd/1 /proc/$child/fd/2
            kill -TERM $child; wait $child; echo $?
            """)
        #expect(outcome.output == "0\nhello\nhello\n/dev/null\n/dev/null\n/dev/null\n0\n", "\(outcome.errors)")
    }

    @Test("tells in the foreground of the parent what went wrong in the background", .timeLimit(.minutes(5)))
    func failure() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let missing = try program.flist("mount", "none.fl", "tree", "--cache", program.path("cache"))
        #expect(missing.status == 1)
        #expect(missing.errors == "flist: cannot open none.fl: No such file or directory\n")
        let noTarget = try program.flist("mount", "tree.fl", "nosuch", "--cache", program.path("cache"))
        #expect(noTarget.status == 1)
        #expect(noTarget.errors.hasPrefix("flist: ") && noTarget.errors.contains("nosuch"), "\(noTarget.errors)")
        let noLog = try program.shell("mkdir target; $FLIST mount --log /nosuch/log tree.fl target --cache cache")
        #expect(noLog.status == 1)
        #expect(noLog.errors == "flist: cannot open the log /nosuch/log: No such file or directory\n")
        #expect(try program.shell("mountpoint -q target").status != 0)
    }

    @Test("ends cleanly on SIGTERM in the foreground", .timeLimit(.minutes(5)))
    func signal() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        // The parent of the background process is done when the mount is; here the test waits for the mount table.
        let outcome = try program.shell(
            """
            mkdir target; "$FLIST" mount --foreground tree.fl target --cache cache & child=$!
            for i in $(seq 200); do mountpoint -q target && break; sleep 0.05; done
            cat target/file; kill -TERM $child; wait $child; echo " $?"; mountpoint -q target && echo still || echo gone
            """)
        #expect(outcome.output == "hello 0\ngone\n", "\(outcome.errors)")
    }

    @Test("takes what is written with --rw", .timeLimit(.minutes(5)))
    func writable() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let outcome = try program.shell(
            """
            mkdir target; "$FLIST" mount --rw changes tree.fl target --cache cache || exit 1
            echo new > target/file2 && echo more >> target/file && cat target/file
            "$FLIST" umount target && cat changes/upper/file2 && cat tree/file
            """)
        #expect(outcome.output == "hellomore\nnew\nhello", "\(outcome.errors)")
    }
}
