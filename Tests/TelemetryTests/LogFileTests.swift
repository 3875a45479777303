import Foundation
import Logging
import Support
import Testing

@testable import Telemetry

@Suite("The log")
struct LogFileTests {
    private func logger(_ file: LogFile, level: Logger.Level = .info) -> Logger {
        Logger(label: "test", factory: { _ in LineLogHandler(file, level: level) })
    }

    /// Without the time, whose form is checked.
    private func withoutTimes(_ text: String) throws -> String {
        let time = #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /#
        return try text.split(separator: "\n").map { line in
            let match = try #require(line.prefixMatch(of: time), "\(line)")
            return line[match.range.upperBound...] + "\n"
        }.joined()
    }

    @Test("writes a line with time, level, text and facts by name, the message's before the logger's")
    func lines() throws {
        let folder = try TestFolder()
        var log = logger(try LogFile(folder.file("log")))
        log[metadataKey: "flist"] = "a.fl"
        log[metadataKey: "store"] = "one"
        log.info("block fetched", metadata: ["store": "two", "id": "00"])
        log.error("lost")
        #expect(
            try withoutTimes(folder.text("log"))
                == "info block fetched flist=a.fl id=00 store=two\nerror lost flist=a.fl store=one\n")
    }

    @Test("leaves out what is less grave than the level")
    func level() throws {
        let folder = try TestFolder()
        let log = logger(try LogFile(folder.file("log")), level: .warning)
        log.notice("no")
        log.warning("yes")
        #expect(try withoutTimes(folder.text("log")) == "warning yes\n")
    }

    @Test("keeps control characters from outside out of the log")
    func controls() throws {
        let folder = try TestFolder()
        logger(try LogFile(folder.file("log"))).info("a\nfalse line\u{1b}[2J", metadata: ["name": "b\r\u{7f}c"])
        #expect(try withoutTimes(folder.text("log")) == "info a false line [2J name=b  c\n")
    }

    @Test("appends, and its file is for the owner and the group")
    func file() throws {
        let folder = try TestFolder()
        for text in ["one", "two"] { logger(try LogFile(folder.file("log"))).info("\(text)") }
        #expect(try withoutTimes(folder.text("log")) == "info one\ninfo two\n")
        #expect(
            try FileManager.default.attributesOfItem(atPath: folder.file("log"))[.posixPermissions] as? Int == 0o640)
    }

    @Test("goes on in a new file after logrotate, and in the old one when there can be no new one")
    func reopening() throws {
        let folder = try TestFolder()
        try FileManager.default.createDirectory(atPath: folder.file("logs"), withIntermediateDirectories: true)
        let file = try LogFile(folder.file("logs/log"))
        let log = logger(file)
        log.info("one")
        try FileManager.default.moveItem(atPath: folder.file("logs/log"), toPath: folder.file("logs/log.1"))
        log.info("two")
        try file.reopen()
        log.info("three")
        #expect(try withoutTimes(folder.text("logs/log.1")) == "info one\ninfo two\n")
        #expect(try withoutTimes(folder.text("logs/log")) == "info three\n")
        try FileManager.default.moveItem(atPath: folder.file("logs"), toPath: folder.file("moved"))
        #expect(throws: FlistError.self) { try file.reopen() }
        log.info("four")
        #expect(try withoutTimes(folder.text("moved/log")) == "info three\ninfo four\n")
    }

    @Test("loses no line when it is reopened while others write")
    func reopeningUnderWay() throws {
        let folder = try TestFolder()
        let file = try LogFile(folder.file("log"))
        let writers = try (0..<4).map { writer in
            let log = logger(file)
            return try WorkerThread("writer") { for number in 0..<500 { log.info("\(writer).\(number)") } }
        }
        for number in 0..<20 {
            try FileManager.default.moveItem(atPath: folder.file("log"), toPath: folder.file("log.\(number)"))
            try file.reopen()
        }
        writers.forEach { $0.join() }
        var lines: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            lines += try withoutTimes(folder.text(name)).split(separator: "\n").map(String.init)
        }
        let all = (0..<4).flatMap { writer in (0..<500).map { "info \(writer).\($0)" } }
        #expect(lines.sorted() == all.sorted())
    }

    @Test("says which log cannot be opened and why")
    func missing() throws {
        let folder = try TestFolder()
        let error = #expect(throws: FlistError.self) { try LogFile(folder.file("none/log")) }
        #expect(error?.description == "cannot open the log \(folder.file("none/log")): No such file or directory")
    }
}
