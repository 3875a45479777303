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

    /// Makes the folder if it is missing, and marks it and the volumes that it lies in, so that they are known even if
    /// they have the names of mounts. Answers which it marked now.
    func mark() throws(FlistError) -> [String] {
        var marked: [String] = []
        do throws(Errno) {
            try Folder.make(path, mode: 0o755, parents: true)
            // Without symlinks and what else a path may hold: those above it are meant.
            guard let resolved = realpath(path, nil) else { throw .current }
            defer { free(resolved) }
            guard var folder = String(validatingCString: resolved) else { throw .invalid }
            if try Self.mark(folder) { marked.append(folder) }
            while let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/")), slash > folder.startIndex {
                let above = String(folder[..<slash])
                if try Self.isSubvolume(above), try Self.mark(above) { marked.append(above) }
                folder = above
            }
        } catch {
            Self.takeBack(marked)
            throw FlistError("cannot use the persisted volume \(path)", errno: error)
        }
        return marked
    }

    /// Takes marks away that were made for a mount that failed.
    static func takeBack(_ marked: [String]) {
        for folder in marked { removexattr(folder, attribute) }
    }

    /// Whether it was not marked before.
    private static func mark(_ folder: String) throws(Errno) -> Bool {
        do throws(Errno) {
            _ = try systemCall { setxattr(folder, attribute, "1", 1, Int32(XATTR_CREATE)) }
            return true
        } catch .exists {
            return false
        } catch .notSupported {
            // A file system without such attributes is none that volumes are made on.
            return false
        }
    }

    /// Whether a folder looks like the root of a subvolume of btrfs: all have this inode (BTRFS_FIRST_FREE_OBJECTID),
    /// and a device of their own. To mark another one does no harm.
    private static func isSubvolume(_ folder: String) throws(Errno) -> Bool {
        var (status, above) = (stat(), stat())
        _ = try systemCall { stat(folder, &status) }
        guard status.st_ino == 256 else { return false }
        _ = try systemCall { stat(folder + "/..", &above) }
        return status.st_dev != above.st_dev
    }

    /// Whether a folder was given by a caller once, or is a volume with such a one in it.
    static func isMarked(_ path: String) -> Bool { getxattr(path, attribute, nil, 0) >= 0 }
}
