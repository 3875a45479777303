internal import CLinux
internal import Glibc
public import Support

/// Mounts a tree that is mounted already at a second place, for which root's rights are needed.
public enum BindMount {
    /// Shows `source` at `target`, read-only and with flags of its own.
    ///
    /// It never appears without its flags: the mount is made unattached and moved into place last (Linux 5.12).
    public static func mountReadOnly(
        _ source: String, at target: String, noSuid: Bool = false, noDev: Bool = false
    ) throws(FlistError) {
        var attributes = mount_attr()
        // What is not set is taken away: the source's own flags do not count here.
        attributes.attr_clr = UInt64(MOUNT_ATTR__ATIME | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
        attributes.attr_set = UInt64(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME)
        if noSuid { attributes.attr_set |= UInt64(MOUNT_ATTR_NOSUID) }
        if noDev { attributes.attr_set |= UInt64(MOUNT_ATTR_NODEV) }
        do throws(Errno) {
            let flags = UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC)
            let tree = FileDescriptor(owning: try systemCall { open_tree(AT_FDCWD, source, flags) })
            let number = tree.number
            _ = try systemCall {
                mount_setattr(number, "", emptyPath, &attributes, MemoryLayout<mount_attr>.size)
            }
            _ = try systemCall { move_mount(number, "", AT_FDCWD, target, UInt32(MOVE_MOUNT_F_EMPTY_PATH)) }
        } catch {
            throw FlistError("cannot show \(source) at \(target)", errno: error)
        }
    }

    /// AT_EMPTY_PATH (fcntl.h), which Glibc shows to Swift only with _GNU_SOURCE.
    private static let emptyPath: UInt32 = 0x1000
}
