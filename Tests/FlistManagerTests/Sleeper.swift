import Foundation
import Glibc

/// A process that has its working folder somewhere.
final class Sleeper {
    private let process = Process()

    var pid: Int32 { process.processIdentifier }

    init(in folder: String) throws {
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["1000"]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        try process.run()
    }

    func end() {
        kill(pid, SIGKILL)
        process.waitUntilExit()
    }

    deinit { if process.isRunning { end() } }
}
