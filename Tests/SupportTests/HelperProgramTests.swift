import Support
import Testing

@Suite("Helper programs", .timeLimit(.minutes(5)))
struct HelperProgramTests {
    @Test("are found in PATH and the folders given")
    func finding() throws {
        #expect(HelperProgram(named: "sh", alsoIn: [])?.path.hasSuffix("/sh") == true)
        #expect(HelperProgram(named: "null", alsoIn: ["/dev"]) == nil)
        #expect(HelperProgram(named: "no-such-program", alsoIn: ["/usr/bin"]) == nil)
        #expect(HelperProgram(named: "version", alsoIn: ["/proc"]) == nil)
    }

    @Test(
        "end with their status, and the first line of what they complain about",
        arguments: [
            ("exit 0", 0, ""), ("echo a b >&2; echo c >&2; exit 3", 3, "a b"), ("echo out; exit 1", 1, ""),
            ("kill -KILL $$", 137, ""), ("cat; printf x >&2", 0, "x"),
        ])
    func ending(script: String, status: Int32, complaint: String) throws {
        let shell = try #require(HelperProgram(named: "sh", alsoIn: []))
        let end = try shell.run(["-c", script])
        #expect(end.status == status)
        #expect(end.complaint == complaint)
    }

    @Test("may complain at any length")
    func longComplaint() throws {
        let shell = try #require(HelperProgram(named: "sh", alsoIn: []))
        let end = try shell.run(["-c", "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 4"])
        #expect(end.status == 4)
        #expect(end.complaint == String(repeating: "x", count: 1024))
    }

    @Test("hear signals that their thread has blocked")
    func signals() throws {
        let shell = try #require(HelperProgram(named: "sh", alsoIn: []))
        // A worker thread has all blocked.
        nonisolated(unsafe) var status: Int32 = 0
        // Read after `join` only.
        try WorkerThread("test") { status = (try? shell.run(["-c", "kill -TERM $$; exit 0"]).status) ?? -1 }.join()
        #expect(status == 143)
    }
}
