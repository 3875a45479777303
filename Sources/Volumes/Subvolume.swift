internal import CBtrfs
internal import CLinux
internal import Glibc
internal import Support

/// A subvolume of a btrfs: a folder that the file system can account for and drop as a whole.
struct Subvolume {
    /// Its id, never given to another on the same file system.
    let id: UInt64

    /// The subvolume of this name in an open folder; nil if there is none, `notDirectory` if it is something else.
    init?(_ name: String, in folder: borrowing FileDescriptor) throws(Errno) {
        let parent = folder.number
        let file: FileDescriptor
        do throws(Errno) {
            file = FileDescriptor(
                owning: try systemCall { openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) })
        } catch {
            if error == .noEntry { return nil }
            // A symlink.
            throw error.rawValue == ELOOP ? .notDirectory : error
        }
        var status = stat()
        let number = file.number
        _ = try systemCall { fstat(number, &status) }
        // BTRFS_FIRST_FREE_OBJECTID: the root folder of every subvolume, and nothing else.
        guard status.st_ino == 256 else { throw .notDirectory }
        var id: UInt64 = 0
        try check(btrfs_util_subvolume_id_fd(number, &id))
        self.id = id
    }

    /// Makes an empty one, which has its limit from the start: no moment and no crash leaves it without.
    static func create(_ name: String, in folder: borrowing FileDescriptor, limit: UInt64) throws(Errno) {
        let parent = folder.number
        _ = try systemCall { btrfs_subvolume_create(parent, name, limit) }
        do throws(Errno) {
            // The process's umask may have cut the rights.
            _ = try systemCall { fchmodat(parent, name, 0o755, 0) }
        } catch {
            try? delete(name, in: folder)
            throw error
        }
    }

    /// Deletes one with those below it. The kernel frees its space in the background.
    static func delete(_ name: String, in folder: borrowing FileDescriptor) throws(Errno) {
        try check(
            btrfs_util_delete_subvolume_fd(folder.number, name, Int32(BTRFS_UTIL_DELETE_SUBVOLUME_RECURSIVE)))
    }

    /// Whether the file system still has one of this id, be it deleted and about to go.
    static func exists(_ id: UInt64, in folder: borrowing FileDescriptor) throws(Errno) -> Bool {
        let result = btrfs_util_subvolume_info_fd(folder.number, id, nil)
        if result == BTRFS_UTIL_ERROR_SUBVOLUME_NOT_FOUND { return false }
        try check(result)
        return true
    }
}

/// libbtrfsutil sets errno, and its own code says only which call failed.
func check(_ result: btrfs_util_error) throws(Errno) {
    if result != BTRFS_UTIL_OK { throw .current }
}
