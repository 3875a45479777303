import Foundation
import Glibc
import Testing

@Suite(
    "Prefetching and profiles by the program", .serialized,
    .enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0, "needs root and /dev/fuse"))
struct PrefetchCommandTests {
    @Test("fills the cache with what is named, and a mount then reads without the store", .timeLimit(.minutes(5)))
    func offline() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let cache = program.path("cache")
        let some = try program.flist("prefetch", "--cache", cache, "tree.fl", "/sub/link")
        #expect(some.output == "tree.fl: 1 files, 5 B: 5 B fetched, 0 B were there\n", "\(some.errors)")
        let all = try program.flist("prefetch", "--cache", cache, "--json", "tree.fl")
        #expect(all.status == 0 && all.output.contains("\"files\": 3,"), "\(all.output)\(all.errors)")
        #expect(all.output.contains("\"present_bytes\": 5,") && all.output.contains("\"fetched_bytes\": 9,"))
        let outcome = try program.shell(
            """
            mv blocks gone; mkdir target; "$FLIST" mount tree.fl target --cache cache || exit 1
            diff -r --no-dereference tree/sub target/sub && cat target/file; "$FLIST" prefetch target
            "$FLIST" umount target
            """)
        #expect(outcome.output == "hellotarget: 3 files, 14 B: 0 B fetched, 14 B were there\n", "\(outcome.errors)")
    }

    @Test("fills the cache of a mount that is named instead of its flist", .timeLimit(.minutes(5)))
    func mounted() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        // From another folder, since the flist was named by a relative path.
        let outcome = try program.shell(
            """
            mkdir target else; "$FLIST" mount -o noprofile,nosuid tree.fl target --cache cache || exit 1
            (cd else && "$FLIST" prefetch -q ../target file sub) && mv blocks gone && cat target/file target/sub/.hidden
            cp tree.fl old.fl; "$FLIST" tag tree.fl add a=b; "$FLIST" prefetch target; echo " $?"; "$FLIST" umount target
            """)
        #expect(outcome.output == "hello12345678 1\n", "\(outcome.errors)")
        #expect(outcome.errors.contains("has changed since it was mounted"), "\(outcome.errors)")
    }

    @Test("counts what cannot be had in one line, and ends with 1", .timeLimit(.minutes(5)))
    func failures() throws {
        let program = try FlistProgram()
        try program.makeTree()
        try program.shell("rm -r blocks/* ")
        let outcome = try program.flist("prefetch", "--cache", program.path("cache"), "tree.fl")
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("flist: tree.fl: 3 blocks could not be fetched, the first of /"))
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        let missing = try program.flist("prefetch", "--cache", program.path("cache"), "tree.fl", "/nosuch")
        #expect(missing.status == 1 && missing.errors == "flist: /nosuch: not in tree.fl\n")
    }

    @Test("records a mount, and shows, moves and embeds the profile", .timeLimit(.minutes(5)))
    func profile() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let none = try program.flist("profile", "tree.fl", "--cache", program.path("cache"))
        #expect(none.status == 1 && none.errors.contains("no mount of it was recorded"))
        let expected = "# flist profile 1\n0 8 /sub/.hidden\n0 5 /file\n"
        let outcome = try program.shell(
            """
            mkdir target; "$FLIST" mount tree.fl target --cache cache && cat target/sub/.hidden target/file >/dev/null
            "$FLIST" umount target; for i in $(seq 200); do ls cache/profile/*.profile >/dev/null 2>&1 && break; sleep 0.05; done
            "$FLIST" profile tree.fl --cache cache show && "$FLIST" profile tree.fl export --cache cache web.profile &&
            "$FLIST" profile tree.fl clear --cache cache && ! "$FLIST" profile tree.fl --cache cache 2>/dev/null &&
            "$FLIST" profile tree.fl import --cache cache web.profile && "$FLIST" profile tree.fl --cache cache | cmp - web.profile &&
            "$FLIST" profile tree.fl embed web.profile && "$FLIST" profile tree.fl --cache other | cmp - web.profile &&
            "$FLIST" pack -q --profile web.profile -s dir://$PWD/blocks -m new.fl tree && "$FLIST" profile new.fl --cache other | cmp - web.profile
            """)
        #expect(outcome.status == 0 && outcome.output == expected, "\(outcome.output)\(outcome.errors)")
        // The embedded profile brings both files before anybody reads; the rest stays where it is.
        let start = try program.shell(
            """
            "$FLIST" mount new.fl target --cache fresh || exit 1
            for i in $(seq 200); do [ $(find fresh/fresh fresh/objects -type f | wc -l) = 2 ] && break; sleep 0.05; done
            mv blocks gone; cat target/file target/sub/.hidden; find fresh/fresh fresh/objects -type f | wc -l; "$FLIST" umount target
            """)
        #expect(start.output == "hello123456782\n", "\(start.errors)")
    }

    @Test("-o noprofile neither records nor fetches", .timeLimit(.minutes(5)))
    func off() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let outcome = try program.shell(
            """
            printf '# flist profile 1\\n0 5 /file\\n' > p; "$FLIST" profile tree.fl embed p; mkdir target
            "$FLIST" mount -o noprofile --foreground tree.fl target --cache cache & child=$!
            for i in $(seq 200); do mountpoint -q target && break; sleep 0.05; done
            cat target/sub/.hidden; kill -TERM $child; wait $child; ls -d cache/profile; find cache/fresh cache/objects -type f | wc -l
            """)
        #expect(outcome.output == "123456781\n", "\(outcome.output)\(outcome.errors)")
    }

    @Test("a profile that is none is refused with the file's name")
    func broken() throws {
        let program = try FlistProgram()
        try program.makeTree()
        try program.write("# flist profile 1\nnonsense\n", "bad")
        for action in ["import", "embed"] {
            let outcome = try program.flist("profile", "--cache", program.path("cache"), "tree.fl", action, "bad")
            #expect(outcome.status == 1)
            #expect(outcome.errors.hasPrefix("flist: bad: line 2 of the profile is not "), "\(outcome.errors)")
        }
        #expect(try program.flist("profile", "tree.fl", "export").status == 2)
    }
}
