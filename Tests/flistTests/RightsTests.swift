import Foundation
import Glibc
import TestSupport
import Testing

@Suite(
    "Rights of a mount's process", .serialized,
    .enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0, "needs root and /dev/fuse"))
struct RightsTests {
    /// CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_SYS_ADMIN.
    private static let reading: UInt64 = 0x20_000e
    /// And CAP_CHOWN, CAP_FSETID, CAP_LINUX_IMMUTABLE, CAP_SYS_RESOURCE, CAP_MKNOD, CAP_SETFCAP.
    private static let writing: UInt64 = 0x8920_021f

    /// What this machine gives to root.
    private static func own() throws -> UInt64 {
        let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("CapEff:") })
        return try #require(UInt64(line.split(separator: "\t")[1], radix: 16))
    }

    /// The lines that all threads of a process have.
    private static func expected(_ kept: UInt64) throws -> String {
        let kept = String(format: "%016lx", try kept & own())
        return "CapEff:\t\(kept)\nCapInh:\t0000000000000000\nCapPrm:\t\(kept)\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    }

    private static let show =
        "rights() { grep -hE '^(CapEff|CapInh|CapPrm|NoNewPrivs|Seccomp):' /proc/$1/task/*/status | sort -u; }; "
        + "mounted() { for i in $(seq 400); do mountpoint -q target && return; sleep 0.05; done; }; "

    @Test("are few of root's, in every thread", .timeLimit(.minutes(5)), arguments: [false, true])
    func foreground(writable: Bool) throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let outcome = try program.shell(
            Self.show + """
                mkdir target; "$FLIST" mount -f \(writable ? "--rw changes" : "") tree.fl target --cache cache & child=$!
                mounted; cat target/file; echo; rights $child
                ls /proc/$child/task | wc -l | awk '{ print ($1 > 4) }'
                awk '/^Max core/ { print $5, $6 }' /proc/$child/limits
                kill -TERM $child; wait $child; echo $?
                """)
        let rights = try Self.expected(writable ? Self.writing : Self.reading)
        #expect(outcome.output == "hello\n\(rights)1\n0 0\n0\n", "\(outcome.errors)")
    }

    @Test(
        "are as few in a process that goes on with the mount of one that was killed", .timeLimit(.minutes(5)),
        .disabled(if: Sanitizer.isThread, "its thread starts before the program gives up rights"))
    func successor() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let outcome = try program.shell(
            Self.show + """
                mkdir target; "$FLIST" mount tree.fl "$PWD/target" --cache cache || exit 1
                serving() { for p in $(pgrep -f -- "mount tree.fl $PWD/target"); do
                    [ "$(cat /proc/$p/comm)" = flist-keeper ] || echo $p; done; }
                first=$(serving); rights $first; kill -9 $first; cat target/file; echo
                second=$(serving); [ "$first" != "$second" ] && rights $second
                "$FLIST" umount target
                """)
        let rights = try Self.expected(Self.reading)
        #expect(outcome.output == "\(rights)hello\n\(rights)", "\(outcome.errors)")
    }

    @Test("are enough for what root does in a writable mount", .timeLimit(.minutes(5)))
    func writable() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let outcome = try program.shell(
            """
            mkdir target; "$FLIST" mount --rw changes tree.fl target --cache cache || exit 1
            cd target; stat -c '%a %u' file
            chown 5:6 file; chmod 6751 file; mknod zero c 1 5; mv sub moved; rm odd*; mkdir -m 1777 new
            touch -d @1000000000 new; setfattr -n trusted.x -v y new; chattr +i file; rm -f file 2>/dev/null || chattr -i file
            setpriv --reuid=77 --regid=77 --clear-groups sh -c 'echo mine > new/mine; stat -c "%u %g" new/mine'
            stat -c '%n %a %u %g %t,%T %Y' file zero new | sed 's/ [0-9]*$//;'; ls -A moved
            cd ..; "$FLIST" umount target; stat -c '%a %u %g' changes/upper/file
            """)
        #expect(
            outcome.output == """
                4755 7
                77 77
                file 6751 5 6 0,0
                zero 644 0 0 1,5
                new 1777 0 0 0,0
                .hidden
                again
                link
                6751 5 6

                """, "\(outcome.errors)")
    }

    @Test("leave devices and setuid of a flist without effect where they are told to", .timeLimit(.minutes(5)))
    func flags() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let outcome = try program.shell(
            """
            mkdir target; "$FLIST" mount tree.fl target --cache cache -o nosuid,nodev || exit 1
            findmnt -no OPTIONS target | tr , '\\n' | grep -xE 'ro|nodev|nosuid'
            cat target/null 2>&1; stat -c %a target/file; "$FLIST" umount target
            """)
        #expect(
            outcome.output == "ro\nnosuid\nnodev\ncat: target/null: Permission denied\n4755\n", "\(outcome.errors)")
    }
}
