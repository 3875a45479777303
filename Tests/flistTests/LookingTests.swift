import Foundation
import Glibc
import Testing

@Suite("Commands that look into a flist", .enabled(if: geteuid() == 0, "needs root"))
struct LookingTests {
    @Test("ls -l prints as ls(1) does")
    func long() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.shell("\"$FLIST\" ls -l tree.fl | grep -v -e odd -e total -e sub")
        #expect(
            outcome.output == """
                -rwsr-xr-x 2 7 1000    5 2024-05-06 07:08 file
                crw------- 1 7 1000 1, 3 2024-05-06 07:08 null
                prw-r--r-- 1 7 1000    0 2024-05-06 07:08 pipe

                """)
        // The system's own ls is the measure; the size of a folder is its file system's affair.
        let ours = try program.shell("\"$FLIST\" ls -la tree.fl /sub | sed -e '/^total/d' -e '/^d/d' | tr -s ' '")
        let theirs = try program.shell(
            "ls -lan --time-style=long-iso tree/sub | sed -e '/^total/d' -e '/^d/d' | tr -s ' '")
        #expect(ours.output.split(separator: "\n").sorted() == theirs.output.split(separator: "\n").sorted())
        #expect(ours.output.contains("lrwxrwxrwx 1 7 1000 7 2024-05-06 07:08 link -> ../file"))
    }

    @Test("ls writes names as they are, hides dots, and walks")
    func names() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let same = try program.shell("cmp <(\"$FLIST\" ls tree.fl) <(cd tree; LC_ALL=C; printf '%s\\n' *)")
        #expect(same.status == 0, "\(same.output)\(same.errors)")
        #expect(try program.flist("ls", "tree.fl", "/sub").output == "again\nlink\n")
        #expect(try program.flist("ls", "-a", "tree.fl", "sub").output == ".\n..\n.hidden\nagain\nlink\n")
        #expect(try program.flist("ls", "tree.fl", "/file").output == "/file\n")
        let all = try program.shell("\"$FLIST\" ls -R tree.fl | tail -4")
        #expect(all.output == "\n/sub:\nagain\nlink\n")
        let onTerminal = try program.shell("script -qec '\"$FLIST\" ls tree.fl' /dev/null | tr -d '\\r'")
        #expect(onTerminal.output.contains("odd\\n\\377\n"))
    }

    @Test("tree draws lines and counts")
    func tree() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.shell("\"$FLIST\" tree tree.fl | grep -a -v odd")
        #expect(outcome.output.contains("├── file\n├── null\n"))
        #expect(outcome.output.hasSuffix("└── sub\n    ├── again\n    └── link -> ../file\n\n1 directories, 6 files\n"))
        #expect(try program.flist("tree", "-d", "-L", "1", "tree.fl").output == "/\n└── sub\n\n1 directories\n")
    }

    @Test("stat tells what stat(1) does")
    func stat() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.flist("stat", "tree.fl", "/file")
        #expect(outcome.output.contains("  File: /file\n"))
        #expect(outcome.output.contains("Access: (4755/-rwsr-xr-x)\tUid: 7\tGid: 1000\n"))
        #expect(outcome.output.contains("Modify: 2024-05-06 07:08:09.123456789 +0000\n"))
        #expect(try program.flist("stat", "tree.fl", "/null").output.contains("Device type: 1,3"))
    }

    @Test("cat writes contents, and refuses what is no file")
    func cat() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.flist("cat", "--cache", program.path("cache"), "tree.fl", "/file", "/sub/.hidden")
        #expect(outcome.output == "hello12345678")
        let folder = try program.flist("cat", "--cache", program.path("cache"), "tree.fl", "/sub")
        #expect(folder.status == 1)
        #expect(folder.errors == "flist: /sub: not a regular file\n")
        try program.shell("rm -rf blocks cache")
        let missing = try program.flist("cat", "--cache", program.path("cache"), "tree.fl", "/file")
        #expect(missing.status == 1)
        #expect(missing.output == "")
        #expect(missing.errors.hasPrefix("flist: /file: block "))
    }

    @Test("a cache that takes nothing is told in a line of the program")
    func fullCache() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.flist("cat", "--cache", "cache", "--cache-size", "1", "tree.fl", "/file")
        #expect(outcome.status == 0)
        #expect(outcome.errors.hasPrefix("flist: the cache cache is full"), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test(
        "prints JSON that programs read, whatever the names",
        arguments: [
            "ls --json tree.fl", "ls -R --json tree.fl", "tree --json tree.fl", "stat --json tree.fl /file",
            "info --json tree.fl", "check --json tree.fl", "check --data --json tree.fl", "tag tree.fl --json",
            "route tree.fl --json", "cache stat --json --cache kept", "unpack --json tree.fl target",
            "pack --json -s dir://$PWD/blocks -m again.fl tree",
        ])
    func json(command: String) throws {
        let program = try FlistProgram()
        try program.makeTree()
        if command.hasPrefix("cache") { try program.flist("cat", "--cache", "kept", "tree.fl", "/file") }
        let outcome = try program.shell("\"$FLIST\" \(command)")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) }
        #expect(
            try program.shell(
                "\"$FLIST\" \(command.replacingOccurrences(of: "target", with: "other")) | python3 -m json.tool > /dev/null"
            ).status == 0)
    }

    @Test("JSON loses no byte of a name")
    func jsonNames() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let text = try program.flist("ls", "--json", "tree.fl").output
        let list = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        let odd = try #require(list.first { ($0["path"] as? String)?.hasPrefix("/odd") == true })
        #expect(odd["path"] as? String == "/odd\n\u{fffd}")
        #expect(odd["path_bytes"] as? String == "2f6f64640aff")
        let file = try #require(list.first { $0["path"] as? String == "/file" })
        #expect(file["path_bytes"] == nil)
        #expect(file["mode"] as? String == "4755")
    }
}
