import Foundation
import TestSupport

/// A folder of one test, removed with this object.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "flist-test-telemetry-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func text(_ name: String) throws -> String { try String(contentsOfFile: file(name), encoding: .utf8) }

    /// Runs a program; what it wrote, and its exit status.
    static func run(_ words: String..., input: String = "") throws -> (status: Int32, output: String) {
        let outcome = try ChildProcess.run(words, input: input, joined: true)
        return (outcome.status, outcome.output)
    }
}
