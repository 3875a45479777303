import Foundation
import Glibc
import Support
import TestSupport

/// A running `flistd`, whose log is a file.
final class RunningDaemon {
    let logPath: String
    private let process: ChildProcess

    var pid: Int32 { process.pid }

    init(_ arguments: [String], log: String, _ environment: [String: String]) throws {
        logPath = log
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let file = FileHandle(forWritingAtPath: log)
        process = try ChildProcess(
            [BuiltProgram.path("flistd")] + arguments, environment: environment, output: file?.fileDescriptor,
            errors: file?.fileDescriptor)
    }

    var isRunning: Bool { process.isRunning }

    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Waits for a line of the log with this in it; false after twenty seconds.
    func logs(_ text: String) -> Bool { eventually { log.contains(text) } }

    func waitUntilServing() throws {
        guard eventually({ log.contains(" notice serving ") || !isRunning }), isRunning else {
            throw FlistError(.timedOut, "flistd does not serve: \(log)")
        }
    }

    func signal(_ number: Int32) { process.signal(number) }

    /// Ends it the gentle way; its exit status.
    func terminate() -> Int32 {
        signal(SIGTERM)
        return wait()
    }

    /// Waits for its end; its exit status.
    func wait() -> Int32 { process.wait().status }

    /// Ends it without its having a say.
    func kill() { process.kill() }
}
