import Foundation
import Glibc
import Support
import TestSupport

/// A running `flistd`, whose log is a file.
final class RunningDaemon {
    let logPath: String
    private let process = Process()

    var pid: Int32 { process.processIdentifier }

    init(_ arguments: [String], log: String, _ environment: [String: String]) throws {
        logPath = log
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let file = FileHandle(forWritingAtPath: log)
        process.executableURL = URL(fileURLWithPath: BuiltProgram.path("flistd"))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = file
        process.standardError = file
        try process.run()
    }

    deinit { kill() }

    var isRunning: Bool { process.isRunning }

    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Waits for a line of the log with this in it; false after twenty seconds.
    func logs(_ text: String) -> Bool { eventually { log.contains(text) } }

    func waitUntilServing() throws {
        guard eventually({ log.contains(" notice serving ") || !isRunning }), isRunning else {
            throw FlistError(.timedOut, "flistd does not serve: \(log)")
        }
    }

    func signal(_ number: Int32) { _ = Glibc.kill(pid, number) }

    /// Ends it the gentle way; its exit status.
    func terminate() -> Int32 {
        signal(SIGTERM)
        return wait()
    }

    /// Waits for its end; its exit status.
    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Ends it without its having a say.
    func kill() {
        guard process.isRunning else { return }
        signal(SIGKILL)
        process.waitUntilExit()
    }
}
