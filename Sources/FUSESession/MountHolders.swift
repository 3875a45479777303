internal import Glibc
internal import Support

/// A process that keeps a mount busy.
public struct MountHolder: Sendable, Hashable, CustomStringConvertible {
    public let pid: Int32
    /// The name of its program, as in /proc/PID/comm.
    public let name: String

    public var description: String { "\(name) (\(pid))" }

    /// The processes with a working directory, root, program or open file below a mount point, by /proc.
    ///
    /// Those of other users are seen by root only. Mapped files whose descriptor is closed are not found. Blocks
    /// shortly; touches no file system but /proc.
    public static func holders(of mountPoint: String, limit: Int = 10) -> [MountHolder] {
        var holders: [MountHolder] = []
        for name in Folder.names(in: "/proc") where holders.count < limit {
            guard let pid = Int32(name), pid != getpid() else { continue }
            let folder = "/proc/\(pid)"
            let links =
                ["cwd", "root", "exe"].map { "\(folder)/\($0)" }
                + Folder.names(in: "\(folder)/fd").map { "\(folder)/fd/\($0)" }
            guard links.contains(where: { leads($0, below: mountPoint) }) else { continue }
            holders.append(MountHolder(pid: pid, name: program(of: folder)))
        }
        return holders
    }

    private static func leads(_ link: String, below mountPoint: String) -> Bool {
        guard let target = readLink(link) else { return false }
        return target == mountPoint || target.hasPrefix(mountPoint.hasSuffix("/") ? mountPoint : mountPoint + "/")
    }

    private static func readLink(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let base = buffer.baseAddress else { return nil }
            let count = readlink(path, base, buffer.count)
            guard count > 0 else { return nil }
            // For comparing and showing; a name that is not UTF-8 is only not found.
            return String(validating: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    private static func program(of folder: String) -> String {
        guard let file = try? FileDescriptor("\(folder)/comm", O_RDONLY) else { return "?" }
        return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            guard let count = try? file.read(into: buffer, at: 0) else { return "?" }
            return String(validating: buffer[..<count].prefix { $0 != 10 }, as: UTF8.self) ?? "?"
        }
    }
}
