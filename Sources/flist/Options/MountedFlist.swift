internal import CLinux
internal import Glibc
internal import Support

/// What a mount says of the flist that it shows.
struct MountedFlist {
    let source: String
    let hash: String
    /// Nil when it keeps nothing.
    let cache: String?

    /// Nil when no flist is mounted there.
    init?(_ target: String) {
        var status = stat()
        guard stat(target, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, let source = Self.fact("source", target),
            let hash = Self.fact("hash", target)
        else { return nil }
        self.source = source
        self.hash = hash
        cache = Self.fact("cache", target)
    }

    private static func fact(_ name: String, _ target: String) -> String? {
        var value = [UInt8](repeating: 0, count: 65536)
        let count = getxattr(target, "user.flist.\(name)", &value, value.count)
        return count >= 0 ? String(validating: value.prefix(count), as: UTF8.self) : nil
    }
}
