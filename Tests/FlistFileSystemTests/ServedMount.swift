import Foundation
import Glibc
import Support
import Testing

/// `flist mount --foreground` as a process of its own. Killed with this object.
final class ServedMount: @unchecked Sendable {
    // Started in `init`; afterwards only asked, and ended by one thread.
    private let process = Process()

    /// Returns when the mount can be used.
    init(_ place: MountPlace, _ options: String, _ arguments: [String] = []) throws {
        process.executableURL = URL(fileURLWithPath: MountPlace.program)
        process.currentDirectoryURL = URL(fileURLWithPath: place.folder)
        process.arguments =
            ["mount", "--foreground", "--cache", "cache", "-o", options] + arguments + ["tree.fl", "target"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let isMounted = eventually { (try? MountTable.current().find(target: place.target)) != nil }
        try #require(isMounted)
    }

    deinit { kill(process.processIdentifier, SIGKILL) }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end; its exit status.
    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func count(_ folder: String, _ isCounted: (String) -> Bool) -> Int {
        let path = "/proc/\(process.processIdentifier)/\(folder)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.count { isCounted("\(path)/\($0)") }
    }

    var threads: Int { count("task") { _ in true } }
    var sockets: Int {
        count("fd") { ((try? FileManager.default.destinationOfSymbolicLink(atPath: $0)) ?? "").hasPrefix("socket:") }
    }
}
