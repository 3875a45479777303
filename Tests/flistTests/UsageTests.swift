import Foundation
import Testing

@Suite("Exit statuses and errors of the program")
struct UsageTests {
    @Test(
        "ends with 2 for wrong usage, with one line on stderr",
        arguments: [
            ["nosuch"], ["ls"], ["ls", "--nosuch", "x"], ["pack", "x"], ["pack", "-s", "nonsense", "/etc"],
            ["pack", "-s", "dir:///x", "--level", "99", "/etc"], ["tag", "x", "add", "novalue"], ["cache", "nosuch"],
            ["cache", "stat", "--cache-size", "many"], ["mount", "x"], ["tree", "-L", "0", "x"],
            ["mount", "-o", "nosuchoption", "x", "/mnt"], ["pack", "-s", "dir:///x", "--exclude", "/", "/etc"],
        ])
    func usage(arguments: [String]) throws {
        let outcome = try FlistProgram().shell("\"$FLIST\" " + arguments.map { "'\($0)'" }.joined(separator: " "))
        #expect(outcome.status == 2, "\(outcome.errors)")
        #expect(outcome.output == "")
        #expect(outcome.errors.hasPrefix("flist: "))
        #expect(outcome.errors.split(separator: "\n", omittingEmptySubsequences: false).count == 2, "\(outcome.errors)")
    }

    @Test("names the help of the command that was meant")
    func helpCommand() throws {
        for (arguments, help) in [
            (["nosuch"], "flist --help"), (["ls", "--nosuch"], "flist ls --help"),
            (["bench", "walk", "--nosuch", "x"], "flist bench walk --help"),
        ] {
            let outcome = try FlistProgram().shell("\"$FLIST\" " + arguments.joined(separator: " "))
            #expect(outcome.errors.hasSuffix(" (see \(help))\n"), "\(outcome.errors)")
        }
    }

    @Test("gives up on a store that is down after the time that was said, and names it")
    func deadStore() throws {
        let program = try FlistProgram()
        try program.makeTree()
        try program.shell("mv blocks moved; $FLIST route tree.fl add redis://127.0.0.1:1")
        for command in ["cat --cache cache tree.fl /file", "check --data tree.fl", "unpack -q tree.fl out"] {
            let outcome = try program.shell(
                "timeout 30 $FLIST \(command.replacing(" ", with: " --timeout 0.3 ", maxReplacements: 1))")
            #expect(outcome.status == 1, "\(outcome)")
            #expect(
                outcome.errors.contains("redis://127.0.0.1:1: unreachable: Connection refused"), "\(outcome.errors)")
        }
    }

    @Test("a folder that is none is told from a flist, and from a mount of one")
    func noFlist() throws {
        let program = try FlistProgram()
        let outcome = try program.shell("mkdir empty; $FLIST prefetch --cache cache empty")
        #expect(outcome.status == 1)
        #expect(
            outcome.errors
                == "flist: empty: a folder without flistdb.sqlite3 is no flist; of a mount, name the flist it shows\n")
    }

    @Test("tells before any work that the flist cannot be written, or has been cut short")
    func unwritable() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.shell("$FLIST pack -q -s dir://$PWD/new -m nosuch/x.fl tree")
        #expect(outcome.status == 1)
        #expect(outcome.errors == "flist: cannot write nosuch/x.fl: its folder: No such file or directory\n")
        #expect(try program.shell("ls -d new").status != 0)
        let cut = try program.shell("truncate -s 8192 tree.fl; $FLIST info tree.fl")
        #expect(cut.status == 1)
        #expect(
            cut.errors
                == "flist: tree.fl: damaged or cut short (database disk image is malformed); fetch it again\n")
    }

    @Test("tells that a password is not recorded")
    func strippedPassword() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let plain = try program.flist("route", "tree.fl", "add", "zdb://mirror:9900/web")
        #expect(plain.status == 0 && plain.errors == "")
        let secret = try program.flist("route", "tree.fl", "add", "zdb://:hush@other:9900/web")
        #expect(secret.status == 0)
        #expect(
            secret.errors == "flist: zdb://other:9900/web: its password or token is not recorded; readers give it by "
                + "--store, or --no-strip-password records it for all to see\n")
        let kept = try program.flist("route", "tree.fl", "add", "--no-strip-password", "zdb://:hush@third:9900/web")
        #expect(kept.status == 0 && kept.errors == "")
    }

    @Test("ends with 1 when it fails, naming what and why")
    func failure() throws {
        let program = try FlistProgram()
        for command in [["ls"], ["info"], ["tree"], ["stat"], ["check"], ["cat", "/x"]] {
            let name = command[0]
            let outcome = try program.shell(
                "\"$FLIST\" \(name) /nosuch \(command.dropFirst().joined()) \(name == "cat" ? "--cache cache" : "")")
            #expect(outcome.status == 1)
            #expect(outcome.errors == "flist: cannot open /nosuch: No such file or directory\n")
        }
        try program.makeTree()
        let outcome = try program.flist("ls", program.path("tree.fl"), "/none")
        #expect(outcome.status == 1)
        #expect(outcome.errors == "flist: /none: not in \(program.path("tree.fl"))\n")
    }

    @Test("shows help and version on stdout, with status 0")
    func help() throws {
        let program = try FlistProgram()
        for command in [
            "", "pack", "mount", "umount", "unpack", "ls", "tree", "cat", "stat", "info", "check", "tag", "route",
            "cache",
        ] {
            let outcome = try program.shell("\"$FLIST\" \(command) --help")
            #expect(outcome.status == 0)
            #expect(outcome.errors == "")
            #expect(outcome.output.contains("flist \(command)"))
            #expect(outcome.output.contains("\nUSAGE: flist"))
        }
        #expect(try program.flist("--version").output.hasPrefix("flist "))
        #expect(try program.flist().status == 0)
    }

    @Test("has a manual page for itself and for every command, which man(1) formats without complaint")
    func manual() throws {
        let program = try FlistProgram()
        let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("scripts").path
        let outcome = try program.shell(
            "/usr/bin/python3 \(scripts)/manual \"$FLIST\" 1 man && cat man/flist-ls.1 && ls man")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("\n.SH SYNOPSIS\n\\fBflist ls\\fR [\\fIoption\\fR ...] \\fIflist\\fR"))
        #expect(outcome.output.contains("flist-mount.1\n") && outcome.output.contains("flist.1\n"))
        let check = try program.shell(
            "! command -v groff || for page in man/*; do groff -man -Tutf8 -ww -z $page || exit 1; done")
        #expect(check.status == 0 && check.errors == "", "\(check.errors)")
    }

    @Test("makes completions that the shells accept", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) throws {
        let program = try FlistProgram()
        let outcome = try program.flist("--generate-completion-script", shell)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("umount"))
        try program.write(outcome.output, "script")
        // Whichever of them is installed reads its script without complaint.
        let check = try program.shell("! command -v \(shell) || \(shell) -n \(program.path("script"))")
        #expect(check.status == 0, "\(check.errors)")
    }

    @Test("does not complain when its reader goes away")
    func closedPipe() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.shell(
            "set -o pipefail; \"$FLIST\" ls -R tree.fl | true; \"$FLIST\" ls tree.fl | head -1")
        #expect(outcome.errors == "")
        #expect(outcome.status == 0)
    }

    @Test("tells when its output cannot be written")
    func fullDisk() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.shell("\"$FLIST\" ls tree.fl > /dev/full")
        #expect(outcome.status == 1)
        #expect(outcome.errors == "flist: cannot write to standard output: No space left on device\n")
    }
}
