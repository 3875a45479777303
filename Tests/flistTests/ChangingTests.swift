import Foundation
import Glibc
import Testing

@Suite("Commands that make and change", .enabled(if: geteuid() == 0, "needs root"))
struct ChangingTests {
    @Test("tag lists, adds and deletes")
    func tags() throws {
        let program = try FlistProgram()
        try program.makeTree()
        #expect(try program.flist("tag", "tree.fl", "add", "version=1=2", "author=me").status == 0)
        #expect(try program.flist("tag", "tree.fl").output.hasSuffix("version=1=2\nauthor=me\n"))
        #expect(try program.flist("tag", "tree.fl", "delete", "author").status == 0)
        #expect(try program.flist("tag", "tree.fl", "list").output.hasSuffix("version=1=2\n"))
        let outcome = try program.flist("tag", "tree.fl", "delete", "author")
        #expect(outcome.status == 1)
        #expect(outcome.errors == "flist: tree.fl: has no tag \"author\"\n")
    }

    @Test("route lists without secrets, adds and deletes")
    func routes() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let secret = "80-ff=zdb://u:secret@host:9900/space"
        #expect(try program.flist("route", "tree.fl", "add", "--no-strip-password", secret).status == 0)
        #expect(try program.flist("route", "tree.fl", "add", "https://host/x").status == 0)
        let list = try program.flist("route", "tree.fl").output
        #expect(list == "00-ff=dir://\(program.path("blocks"))\n80-ff=zdb://host:9900/space\n00-ff=https://host/x\n")
        #expect(!(try program.flist("info", "tree.fl").output.contains("secret")))
        #expect(try program.flist("route", "tree.fl", "delete", "zdb://host:9900/space", "https://host/x").status == 0)
        #expect(try program.flist("route", "tree.fl", "list").output == "00-ff=dir://\(program.path("blocks"))\n")
        #expect(try program.flist("route", "tree.fl", "delete", "https://host/x").status == 1)
    }

    @Test("pack tells its figures, names the output after the source, and ends with 1 without its store")
    func pack() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.flist("pack", "-s", "dir://\(program.path("other"))", "tree")
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("tree.fl: 9 entries, 14 B\n"), "\(outcome.output)")
        #expect(outcome.errors == "")
        let failed = try program.flist("pack", "-m", "none.fl", "-s", "redis://127.0.0.1:1", "tree")
        #expect(failed.status == 1)
        #expect(failed.errors.hasPrefix("flist: ") && failed.errors.contains("127.0.0.1:1"), "\(failed.errors)")
        #expect(!FileManager.default.fileExists(atPath: program.path("none.fl")))
        let missing = try program.flist("pack", "-s", "dir:///x", "/nosuch")
        #expect(missing.errors == "flist: cannot read /nosuch: No such file or directory\n")
    }

    @Test("pack takes a tree of more directories than a process may have files open")
    func packManyDirectories() throws {
        let program = try FlistProgram()
        try program.shell("mkdir -p tree/d{1..3000} && for d in tree/d*; do echo $d > $d/file; done")
        let outcome = try program.shell("ulimit -n 1024; $FLIST pack --json -s dir://$PWD/blocks -m out.fl tree")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("\"entries\": 6001"))
        #expect(outcome.errors == "")
    }

    @Test("pack --base tells what it has not read, and refuses a base that cannot be one")
    func packBase() throws {
        let program = try FlistProgram()
        try program.makeTree()
        try program.shell("find tree -type f -exec touch -d 2024-05-06 {} +")
        let store = "dir://\(program.path("blocks"))"
        #expect(try program.flist("pack", "-q", "-s", store, "-m", "old.fl", "tree").status == 0)
        let outcome = try program.flist("pack", "-s", store, "-m", "new.fl", "--base", "old.fl", "tree")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("\n  3 of 3 files taken from the base, 14 B not read\n"), "\(outcome.output)")
        try program.shell("cmp old.fl new.fl")
        for (base, error) in [
            ("none.fl", "flist: cannot open none.fl: No such file or directory\n"),
            (
                "tree/../old.fl",
                "flist: tree/../old.fl cannot be the base: it has blocks of 524288 bytes, not of 65536\n"
            ),
        ] {
            let refused = try program.flist(
                "pack", "-s", store, "-m", "no.fl", "--block-size", "64KiB", "--base", base, "tree")
            #expect(refused.status != 0)
            #expect(refused.errors == error)
        }
    }

    @Test("route adds no address that no reader takes, and deletes what others wrote")
    func oddRoutes() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let long = "http://h/" + String(repeating: "x", count: 2100)
        let refused = try program.flist("route", "tree.fl", "add", long)
        #expect(refused.status == 2)
        #expect(refused.errors == "flist: the address of a store has 2109 bytes: a flist holds 2048 at most\n")
        #expect(
            try program.flist("route", "tree.fl", "add", "00-7f=zdb://a:9900/web", "80-ff=zdb://a:9900/web").status == 0
        )
        #expect(try program.flist("route", "tree.fl", "delete", "ZDB://a:9900/web").status == 0)
        try program.shell("sqlite3 tree.fl \"INSERT INTO route VALUES (0, 255, 'odd+x://y')\"")
        #expect(try program.flist("route", "tree.fl", "delete", "odd+x://y").status == 0)
        #expect(try program.flist("route", "tree.fl").output == "00-ff=dir://\(program.path("blocks"))\n")
    }

    @Test(
        "pack tells what it did although an entry could not be read", .timeLimit(.minutes(5)),
        .enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0, "needs root and /dev/fuse"))
    func failingPack() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let outcome = try program.shell(
            """
            mkdir target; "$FLIST" mount tree.fl target --cache cache || exit 9; rm -r blocks/*
            "$FLIST" pack -q --json -m new.fl -s "dir://$PWD/more" target; echo " $?"; "$FLIST" umount target
            """)
        #expect(outcome.output.hasPrefix("{") && outcome.output.hasSuffix("}\n 1\n"), "\(outcome)")
        #expect(outcome.errors.contains("entries could not be read and are not in it"))
    }

    @Test("check --data lists twenty bad blocks, and all of them with --json")
    func checkMany() throws {
        let program = try FlistProgram()
        try program.shell("mkdir many; for i in $(seq 25); do echo $i > many/f$i; done")
        #expect(
            try program.flist("pack", "-q", "-m", "many.fl", "-s", "dir://\(program.path("blocks"))", "many").status
                == 0)
        try program.shell("rm -r blocks/*")
        let bad = try program.flist("check", "--data", "-q", "many.fl")
        #expect(bad.status == 1)
        let lines = bad.errors.split(separator: "\n")
        #expect(lines.count == 22 && lines.prefix(20).allSatisfy { $0.contains(": the block is not there") })
        #expect(
            lines.suffix(2) == [
                "flist: many.fl: and 5 more bad blocks; --json lists all",
                "flist: many.fl: 25 of 25 different blocks, 66 B, are bad",
            ])
        let all = try program.flist("check", "--data", "-q", "--json", "many.fl")
        #expect(all.output.split(separator: "\"reason\"").count == 26)
    }

    @Test("check --data ends with 1 and names the files of bad blocks")
    func check() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let good = try program.flist("check", "--data", "tree.fl")
        #expect(good.status == 0)
        #expect(good.output == "tree.fl: good, 3 different blocks, 14 B\n")
        try program.shell("find blocks -type f -exec sh -c 'printf x >> \"$1\"' - {} \\;")
        let bad = try program.flist("check", "--data", "tree.fl")
        #expect(bad.status == 1)
        #expect(bad.output == "")
        #expect(bad.errors.split(separator: "\n").count == 4, "\(bad.errors)")
        #expect(bad.errors.contains("in /file\n"))
        #expect(bad.errors.hasSuffix("flist: tree.fl: 3 of 3 different blocks, 14 B, are bad\n"))
    }

    @Test("unpack gives the tree back, and refuses a folder that is in use")
    func unpack() throws {
        let program = try FlistProgram()
        try program.makeTree()
        #expect(try program.flist("unpack", "-q", "tree.fl", "target").status == 0)
        #expect(
            try program.shell("diff -r --no-dereference tree/sub target/sub && cmp tree/file target/file").status == 0)
        #expect(
            try program.shell("stat -c %a%u%g%h%y target/file").output == "475571000"
                + "22024-05-06 07:08:09.123456789 +0000\n")
        let again = try program.flist("unpack", "tree.fl", "target")
        #expect(again.status == 1)
        #expect(
            again.errors
                == "flist: cannot unpack into target: it is not empty; name another folder, or use --force to write into it\n"
        )
    }

    @Test("cache tells, verifies, tidies and empties")
    func cache() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let folder = program.path("cache")
        try program.flist("cat", "--cache", folder, "tree.fl", "/file")
        #expect(try program.flist("cache", "stat", "--cache", folder).output.contains("complete  1\n"))
        #expect(try program.flist("cache", "check", "--cache", folder).status == 0)
        #expect(try program.flist("cache", "gc", "--cache", folder).output.hasPrefix("\(folder): removed 0 contents"))
        #expect(
            try program.flist("cache", "clear", "--cache", folder).output.hasPrefix("\(folder): removed 1 contents"))
        #expect(try program.flist("cache", "stat", "--cache", folder).output.contains("complete  0\n"))
        // A name that was mistyped is not made a cache.
        for action in ["stat", "check", "gc", "clear"] {
            let wrong = try program.flist("cache", action, "--cache", "nosuch")
            #expect(
                wrong.status == 1
                    && wrong.errors == "flist: there is no cache in nosuch; --cache DIR names the one that is meant\n")
        }
        #expect(!FileManager.default.fileExists(atPath: program.path("nosuch")))
    }
}
