internal import CLinux
internal import Glibc
internal import Support

/// A folder that a caller gave for what is written, which must never be deleted.
struct PersistedVolume {
    let path: String

    private static let attribute = "trusted.flist.persisted"

    init(_ path: String) throws(FlistError) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw FlistError(.usage, "invalid persisted volume: \(path) is no absolute path")
        }
        self.path = path
    }

    /// Makes the folder if it is missing and marks it, so that it is known even if it is a volume that has the name of
    /// a mount.
    func mark() throws(FlistError) {
        do throws(Errno) {
            try Folder.make(path, mode: 0o755, parents: true)
            do throws(Errno) {
                _ = try systemCall { setxattr(path, Self.attribute, "1", 1, 0) }
                // A file system without such attributes is none that volumes are made on.
            } catch .notSupported {}
        } catch {
            throw FlistError("cannot use the persisted volume \(path)", errno: error)
        }
    }

    /// Whether a folder was given by a caller once.
    static func isMarked(_ path: String) -> Bool { getxattr(path, attribute, nil, 0) >= 0 }
}
