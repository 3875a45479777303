import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite(
    "Standing in for g8ufs and rfs", .serialized,
    .enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0, "needs root and /dev/fuse"))
struct StandInTests {
    /// Starts a script as the node's flist module works: the programs are on the PATH, flists lie in a folder of their own.
    private func node(_ program: FlistProgram, _ script: String) throws -> FlistProgram.Outcome {
        try program.shell(
            """
            mkdir -p bin flist cache log ro && ln -sf "$FLIST" bin/g8ufs && ln -sf "$FLIST" bin/rfs && PATH=$PWD/bin:$PATH
            trap 'umount -l ro/* 2>/dev/null' EXIT
            fstype() { findmnt -n -o FSTYPE "$1"; }
            pid() { findmnt -n -o SOURCE "$1"; }
            # The flist that a mount serves, from the command line of the process in the mount's source.
            hash() { tr '\\0' '\\n' < /proc/$(pid "$1")/cmdline | grep "^$PWD/flist/" | head -1 | xargs basename; }
            # Waits until the process has ended.
            ended() { for i in $(seq 400); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.05; done; return 1; }
            \(script)
            """)
    }

    /// A 0-db with the blocks of a flist that another program packed.
    private func store() throws -> RedisServer {
        let server = try RedisServer()
        let blocks = Self.fixtures + "/zflist-mini/blocks"
        for case let name as String in FileManager.default.enumerator(atPath: blocks) ?? .init() {
            guard let key = Hex.decode(name.split(separator: "/").last ?? ""), name.contains("/"),
                let bytes = FileManager.default.contents(atPath: "\(blocks)/\(name)")
            else { continue }
            try server.set(key, [UInt8](bytes))
        }
        return server
    }

    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures").path

    @Test("g8ufs mounts as the node's flist module calls it and finds it again", .timeLimit(.minutes(5)))
    func g8ufs() throws {
        let program = try FlistProgram()
        let store = try store()
        let outcome = try node(
            program,
            """
            cp '\(Self.fixtures)/zflist-mini/mini.flist' flist/0123abcd; mkdir ro/0123abcd; target=$PWD/ro/0123abcd
            g8ufs --storage-url redis://127.0.0.1:\(store.port) --ro --cache "$PWD/cache" --meta "$PWD/flist/0123abcd" \
                --daemon --log "$PWD/log/0123abcd.log" "$target" 2>&1 || exit 1
            mountpoint -q "$target" && fstype "$target"; hash "$target"
            md5sum < "$target/three-blocks.bin"; findmnt -n -o OPTIONS "$target" | cut -d, -f1
            child=$(pid "$target"); readlink /proc/$child/cwd | xargs basename; ls log
            umount "$target" && ended "$child" && echo ended; mountpoint -q "$target" || echo unmounted
            """)
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "fuse.g8ufs", "0123abcd", "\(try md5(of: "three-blocks.bin", program, store))  -", "ro",
                String(program.folder.split(separator: "/").last ?? ""), "0123abcd.log", "ended", "unmounted",
            ], "\(outcome.output)\(outcome.errors)")
    }

    /// As `flist cat` gives it.
    private func md5(of name: String, _ program: FlistProgram, _ store: RedisServer) throws -> String {
        try program.shell(
            "\"$FLIST\" cat --cache other --store redis://127.0.0.1:\(store.port) '\(Self.fixtures)/zflist-mini/mini.flist' /\(name) | md5sum | cut -d' ' -f1"
        ).output.replacing("\n", with: "")
    }

    @Test("rfs mounts as the node's flist module calls it", .timeLimit(.minutes(5)))
    func rfs() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try node(
            program,
            """
            cp tree.fl flist/feed; mkdir ro/feed; target=$PWD/ro/feed
            rfs mount --cache "$PWD/cache" --meta "$PWD/flist/feed" --daemon --log "$PWD/log/feed.log" "$target" 2>&1 || exit 1
            mountpoint -q "$target" && fstype "$target"; hash "$target"; cat "$target/file"; echo
            child=$(pid "$target"); umount "$target" && ended "$child" && echo ended
            """)
        #expect(outcome.output == "fuse.g8ufs\nfeed\nhello\nended\n", "\(outcome.output)\(outcome.errors)")
    }

    @Test("takes options in any order and form, and writes the pid file", .timeLimit(.minutes(5)))
    func options() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try node(
            program,
            """
            mkdir ro/a ro/mount
            g8ufs ro/a --daemon --pid=a.pid --meta=tree.fl --log a.log --cache=cache || exit 1
            [ "$(pid ro/a)" = "$(cat a.pid)" ] && stat -c %a a.pid
            rfs --debug mount -d -m tree.fl -l b.log -c cache -- ro/mount || exit 1
            cat ro/mount/file; echo
            first=$(cat a.pid); second=$(pid ro/mount)
            kill -HUP "$first"; cat ro/a/file && echo
            "$FLIST" umount ro/a && ended "$first" && [ ! -e a.pid ] && echo unmounted
            kill -TERM "$second" && ended "$second" && echo ended; mountpoint -q ro/mount || echo gone
            """)
        #expect(outcome.output == "644\nhello\nhello\nunmounted\nended\ngone\n", "\(outcome.output)\(outcome.errors)")
    }

    @Test("opens its log anew on SIGHUP", .timeLimit(.minutes(5)))
    func hangup() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try node(
            program,
            """
            mkdir ro/a; g8ufs --meta tree.fl --cache cache --log a.log --daemon ro/a || exit 1
            mv a.log a.log.1; kill -HUP $(pid ro/a)
            for i in $(seq 400); do [ -e a.log ] && break; sleep 0.05; done; ls a.log
            umount ro/a
            """)
        #expect(outcome.output == "a.log\n", "\(outcome.errors)")
    }

    @Test("stays in the foreground without --daemon, and says when it is ready", .timeLimit(.minutes(5)))
    func foreground() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try node(
            program,
            """
            mkdir ro/a; exec 3< <(exec g8ufs --meta tree.fl --cache cache ro/a 2>err); read -r -u 3 line; echo "$line"
            cat ro/a/file; echo; child=$(pid ro/a); kill -INT "$child"; ended "$child" && echo ended; cat err
            """)
        #expect(outcome.output == "mount starts\nhello\nended\n", "\(outcome.errors)")
    }

    @Test("fails with one line when it cannot mount, and leaves nothing", .timeLimit(.minutes(5)))
    func failures() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try node(
            program,
            """
            mkdir ro/a
            g8ufs --meta none.fl --cache cache --daemon --log log/a --pid a.pid ro/a 2>&1; echo $?
            rfs mount --meta none.fl --cache cache --daemon ro/a 2>&1; echo $?
            rfs mount --meta tree.fl --cache cache --daemon ro/none 2>&1; echo $?
            g8ufs --meta tree.fl --cache cache --daemon --log log/a --pid none/a.pid ro/a 2>&1; echo $?
            rfs mount --meta tree.fl --cache cache --daemon ro/a && rfs mount --meta tree.fl --cache cache --daemon ro/a 2>&1; echo $?
            umount ro/a; ls a.pid 2>/dev/null; grep -c flist-test-cli-.*ro/a /proc/self/mountinfo
            """)
        #expect(
            outcome.output == """
                g8ufs: cannot open none.fl: No such file or directory
                1
                rfs: cannot open none.fl: No such file or directory
                1
                rfs: cannot mount on ro/none: No such file or directory
                1
                g8ufs: cannot write the pid file none/a.pid: No such file or directory
                1
                rfs: cannot mount on ro/a: something is mounted there already
                1
                0

                """)
    }

    @Test(
        "ends with 2 for wrong usage, with one line in the name that it was called by",
        arguments: [
            "g8ufs", "g8ufs --meta x", "g8ufs --meta x --nosuch y", "g8ufs --meta a --meta b y", "g8ufs /mnt",
            "g8ufs --meta x --storage-url nonsense ro", "rfs nosuch", "rfs mount", "rfs mount x",
            "rfs mount --meta x --nosuch y", "rfs mount --storage-url a --meta x y", "rfs pack -m x -s y z",
            "rfs unpack --meta x y", "rfs clone -m x -s y", "rfs config -m x tag list",
        ])
    func usage(command: String) throws {
        let outcome = try node(FlistProgram(), command)
        #expect(outcome.status == 2, "\(outcome.errors)")
        #expect(outcome.output == "")
        #expect(outcome.errors.hasPrefix(command.prefix { $0 != " " } + ": "), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n", omittingEmptySubsequences: false).count == 2, "\(outcome.errors)")
    }

    @Test("names the command of flist's for what rfs does besides")
    func others() throws {
        let program = try FlistProgram()
        for (command, use) in [
            ("pack", "flist pack -s"), ("unpack", "flist unpack FLIST"), ("clone", "flist pack -s"),
            ("config", "flist tag FLIST"),
        ] {
            #expect(try node(program, "rfs \(command) --meta x").errors.contains("only mounts; use '"))
            #expect(try node(program, "rfs \(command)").errors.contains("'\(use)"))
        }
    }

    @Test("shows its help")
    func help() throws {
        let program = try FlistProgram()
        #expect(try node(program, "g8ufs --help").output.contains("\nUSAGE: g8ufs [--meta"))
        #expect(try node(program, "rfs mount --help").output.contains("\nUSAGE: rfs mount "))
        #expect(try node(program, "rfs --help").output.contains("\nUSAGE: rfs "))
        #expect(try node(program, "g8ufs --version").output.hasPrefix("flist "))
    }
}
