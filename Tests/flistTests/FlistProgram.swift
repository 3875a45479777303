import Foundation
import Glibc
import TestSupport

/// The built program, and a folder of one test, removed with it.
final class FlistProgram {
    typealias Outcome = ChildProcess.Outcome

    let folder: String

    init() throws {
        folder = "/var/tmp/flist-test-cli-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        // A process in the background may still be putting its things away.
        for _ in 0..<100 {
            _ = try? run("rm", ["-rf", "--one-file-system", folder])
            guard FileManager.default.fileExists(atPath: folder) else { break }
            usleep(50_000)
        }
    }

    static let path = BuiltProgram.path("flist")

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }

    @discardableResult
    func flist(_ arguments: String...) throws -> Outcome { try run(Self.path, arguments) }

    @discardableResult
    func shell(_ command: String) throws -> Outcome { try run("bash", ["-c", command]) }

    private func run(_ program: String, _ arguments: [String]) throws -> Outcome {
        try ChildProcess.run([program] + arguments, in: folder, environment: ["TZ": "UTC", "FLIST": Self.path])
    }

    /// Makes `tree.fl` of a small tree of which all is known.
    func makeTree() throws {
        try shell(
            """
            mkdir -p tree/sub && cd tree && printf hello > file && printf 12345678 > sub/.hidden && ln file sub/again &&
            ln -s ../file sub/link && mkfifo pipe && printf x > "$(printf 'odd\\n\\377')" &&
            mknod null c 1 3; chown -hR 7:1000 . ; chmod 4755 file; chmod 1777 sub; chmod 644 pipe odd* sub/.hidden; chmod 600 null
            find . -depth -exec touch -h -d '2024-05-06 07:08:09.123456789 UTC' {} +
            """)
        let outcome = try flist("pack", "-q", "-m", path("tree.fl"), "-s", "dir://\(path("blocks"))", path("tree"))
        guard outcome.status == 0 else { throw Failure(text: outcome.errors) }
    }

    struct Failure: Error {
        let text: String
    }
}
