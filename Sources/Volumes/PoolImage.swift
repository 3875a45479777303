internal import CBtrfs
internal import CLinux
internal import Glibc
internal import Support

/// A sparse file with a btrfs for the volumes, where the host has none.
struct PoolImage: Sendable {
    /// The file.
    let path: String
    /// Where it is mounted.
    let mountPoint: String

    /// Makes the file; a crash leaves the whole of it or nothing.
    func make(size: UInt64) throws(FlistError) {
        let folders = ["/usr/sbin", "/sbin", "/usr/local/sbin"]
        guard let mkfs = HelperProgram(named: "mkfs.btrfs", alsoIn: folders) else {
            throw FlistError(.unsupported, "cannot make \(path): mkfs.btrfs is missing, install btrfs-progs")
        }
        let fresh = path + ".new"
        do throws(Errno) {
            let file = try FileDescriptor(fresh, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
            let number = file.number
            _ = try systemCall { ftruncate(number, Int(clamping: size)) }
        } catch {
            throw FlistError("cannot make \(fresh)", errno: error)
        }
        // One copy of the metadata: the disk below is the host's to keep safe, as that of any other file.
        let end = try mkfs.run([
            "--quiet", "--force", "--nodiscard", "--metadata", "single", "--label", "flist-volumes", "--", fresh,
        ])
        guard end.status == 0 else {
            unlink(fresh)
            let says = end.complaint.isEmpty ? "it ended with \(end.status)" : end.complaint
            throw FlistError(.io, "cannot make \(path): \(mkfs.path): \(says)")
        }
        do throws(Errno) {
            try Self.sync(fresh, O_RDWR)
            _ = try systemCall { rename(fresh, path) }
            try Self.sync(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), O_RDONLY | O_DIRECTORY)
        } catch {
            throw FlistError("cannot make \(path)", errno: error)
        }
    }

    /// The size of the file in bytes.
    func size() throws(Errno) -> UInt64 {
        var status = stat()
        _ = try systemCall { stat(path, &status) }
        return UInt64(clamping: status.st_size)
    }

    /// Bytes that the host has room for.
    func hostFree() throws(Errno) -> UInt64 {
        var status = statvfs()
        _ = try systemCall { statvfs(path, &status) }
        return UInt64(status.f_bavail) &* UInt64(status.f_frsize)
    }

    /// Makes the file, its device and then the file system in `pool` at least this large. Takes no space.
    func grow(to size: UInt64, _ pool: borrowing FileDescriptor) throws(Errno) {
        // Whatever a crash may have left undone is done again.
        if try self.size() < size {
            guard let length = Int(exactly: size) else { throw Errno(rawValue: EFBIG) }
            let file = try FileDescriptor(path, O_RDWR)
            let number = file.number
            _ = try systemCall { ftruncate(number, length) }
        }
        guard let device = try LoopDevice.attached(to: path) else { throw .noDevice }
        try device.adoptSize()
        let number = pool.number
        _ = try systemCall { btrfs_resize_max(number) }
    }

    private static func sync(_ path: String, _ flags: Int32) throws(Errno) {
        let file = try FileDescriptor(path, flags)
        let number = file.number
        _ = try systemCall { fsync(number) }
    }
}
