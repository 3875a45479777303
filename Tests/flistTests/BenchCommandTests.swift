import Foundation
import Glibc
import Support
import Testing

@Suite("Benchmarks by the program", .serialized)
struct BenchCommandTests {
    struct Report: Decodable {
        struct Run: Decodable {
            let count: Int
            let bytes: Int
            let failed: Int
            let form: String?
            let concurrency: Int?
            let step: String?
        }
        let runs: [Run]
        let blocks: Int?
        let files: Int?
    }

    private func report(_ text: String) throws -> Report {
        try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    }

    @Test(
        "mount leaves nothing behind when it is ended", .timeLimit(.minutes(5)), arguments: ["INT", "TERM"],
        ["0.05", "0.13", "0.6"])
    func endedMount(signal: String, after: String) throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.shell(
            "mkdir work; timeout -s \(signal) \(after) $FLIST bench mount --count 10000 --work work tree.fl; ls work")
        #expect(outcome.output == "", "\(outcome.errors)")
        #expect(try MountTable.current().entries.filter { $0.mountPoint.hasPrefix(program.folder) }.isEmpty)
    }

    @Test("fetches with each number under way, decoded and stored")
    func fetch() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.flist(
            "bench", "fetch", "--json", "--concurrency", "1,8", "--count", "30", "tree.fl")
        #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
        let report = try report(outcome.output)
        #expect(report.blocks == 3)
        #expect(
            report.runs.map { "\($0.form ?? "") \($0.concurrency ?? 0)" } == [
                "decoded 1", "decoded 8", "stored 1", "stored 8",
            ])
        #expect(report.runs.allSatisfy { $0.count == 30 && $0.failed == 0 })
        // hello, 12345678 and x, ten times each.
        #expect(report.runs.prefix(2).map(\.bytes) == [140, 140])
        let table = try program.flist("bench", "fetch", "--form", "stored", "--count", "3", "tree.fl")
        #expect(table.output.split(separator: "\n").count == 6, "\(table.output)")
    }

    @Test("tells what fails in one line, and ends with 1")
    func failures() throws {
        let program = try FlistProgram()
        try program.makeTree()
        try program.shell("rm -r blocks/*")
        let outcome = try program.flist(
            "bench", "fetch", "--form", "stored", "--concurrency", "2", "--count", "3", "tree.fl")
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("flist: 3 failed, the first of them: block "), "\(outcome.errors)")
        let decoding = try program.flist("bench", "decode", "tree.fl")
        #expect(decoding.status == 1 && decoding.errors.hasPrefix("flist: block "), "\(decoding.errors)")
        #expect(
            try program.flist("bench", "read", "nosuch").errors
                == "flist: cannot read nosuch: No such file or directory\n")
        #expect(try program.flist("bench", "fetch", "--concurrency", "1,x", "tree.fl").status == 2)
        #expect(try program.flist("bench", "walk", "--rounds", "0", "tree").status == 2)
    }

    @Test("decodes into a folder that is empty again afterwards")
    func decode() throws {
        let program = try FlistProgram()
        try program.makeTree()
        let outcome = try program.flist("bench", "decode", "--json", "--write", "new", "tree.fl")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try report(outcome.output)
        #expect(report.runs.map(\.count) == [3] && report.runs.map(\.bytes) == [14])
        #expect(try program.shell("ls -A new").output == "")
        let refused = try program.flist("bench", "decode", "--write", "tree", "tree.fl")
        #expect(refused.status == 1 && refused.errors == "flist: tree is not empty; name a new folder\n")
    }

    @Test(
        "reads and walks a mount, and mounts", .timeLimit(.minutes(5)),
        .enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0, "needs root and /dev/fuse"))
    func mounted() throws {
        let program = try FlistProgram()
        try program.makeTree()
        defer { _ = try? program.shell("umount -l target 2>/dev/null") }
        let mount = try program.shell("mkdir target work; \"$FLIST\" mount tree.fl target --cache cache")
        #expect(mount.status == 0, "\(mount.errors)")
        let read = try program.flist(
            "bench", "read", "--json", "--pattern", "sequential", "--concurrency", "1,3", "target")
        // The second name of a hard link is a file to those who walk.
        #expect(try report(read.output).files == 4, "\(read.errors)")
        #expect(try report(read.output).runs.map(\.bytes) == [19, 19])
        let walk = try program.flist("bench", "walk", "--json", "--rounds", "2", "target")
        #expect(try report(walk.output).runs.map(\.count) == [8, 8], "\(walk.errors)")
        try program.shell("\"$FLIST\" umount target")
        let mounts = try program.flist(
            "bench", "mount", "--json", "--count", "2", "--work", program.path("work"), "tree.fl")
        #expect(mounts.status == 0, "\(mounts.errors)")
        let steps = try report(mounts.output).runs
        #expect(steps.map(\.step) == ["mount", "ls", "umount", "mount", "ls", "umount"])
        #expect(steps.allSatisfy { $0.count == 2 })
        #expect(try program.shell("ls -A work; grep -c \(program.path("work")) /proc/self/mountinfo").output == "0\n")
    }
}
