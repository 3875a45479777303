import Foundation
import Glibc
import Support
import TestSupport
import Testing

/// `flist mount --foreground` as a process of its own. Killed with this object.
final class ServedMount: Sendable {
    private let process: ChildProcess

    /// Returns when the mount can be used.
    init(_ place: MountPlace, _ options: String, _ arguments: [String] = []) throws {
        process = try ChildProcess(
            [MountPlace.program, "mount", "--foreground", "--cache", "cache", "-o", options] + arguments
                + ["tree.fl", "target"], in: place.folder)
        let isMounted = eventually { (try? MountTable.current().find(target: place.target)) != nil }
        try #require(isMounted)
    }

    func signal(_ number: Int32) { process.signal(number) }

    /// Waits for its end; its exit status.
    func wait() -> Int32 { process.wait().status }

    private func count(_ folder: String, _ isCounted: (String) -> Bool) -> Int {
        let path = "/proc/\(process.pid)/\(folder)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.count { isCounted("\(path)/\($0)") }
    }

    var threads: Int { count("task") { _ in true } }
    var sockets: Int {
        count("fd") { ((try? FileManager.default.destinationOfSymbolicLink(atPath: $0)) ?? "").hasPrefix("socket:") }
    }
}
