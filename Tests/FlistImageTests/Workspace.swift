import Foundation
import TestSupport

/// A folder of one test, removed with it, and the fixtures.
final class Workspace {
    let folder: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("flist-test-image-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures").path

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    func read(_ name: String) throws -> [UInt8] { try Self.read(path(name)) }

    static func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? [] }

    struct CommandFailed: Error {
        let output: String
    }

    /// Runs a program in the folder; answers what it wrote.
    @discardableResult
    func run(_ arguments: String..., input: String = "") throws -> String {
        let outcome = try ChildProcess.run(arguments, in: folder, input: input, joined: true)
        guard outcome.status == 0 else { throw CommandFailed(output: outcome.output) }
        return outcome.output
    }

    /// Makes a database by SQLite's own program.
    func database(_ name: String, _ sql: String) throws -> String {
        try run("sqlite3", "-bail", path(name), input: sql)
        return path(name)
    }
}
