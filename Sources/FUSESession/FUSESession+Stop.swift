internal import CLinux
internal import Glibc
public import Support

extension FUSESession {
    /// Takes the mount out of the tree and waits until every worker has ended. Blocks.
    ///
    /// What is still open goes on being served, and the call lasts until it is closed; `force` cuts the connection
    /// instead, and its users get errors. Does nothing if the file system is unmounted already.
    ///
    /// - Throws: `FlistError` with code `busy` when another mount lies on top.
    public func stop(force: Bool = false) throws(FlistError) {
        try detach(force: force)
        wait()
    }

    /// Takes the mount out of the tree at once; it ends with its last user.
    public func detach(force: Bool = false) throws(FlistError) {
        if force { abort() }
        guard let device else {
            if !hasEnded { try unmount(target, lazy: true) }
            return
        }
        let table = try MountTable.current()
        let mounts = table.entries.filter { $0.mountPoint == target }
        guard mounts.contains(where: { $0.device == device }) else { return }
        guard mounts.last?.device == device else {
            throw FlistError(.busy, "cannot unmount \(target): another mount lies on top, unmount that first")
        }
        do throws(FlistError) {
            try unmount(target, lazy: true)
        } catch {
            // Someone else was faster.
            guard error.code == .invalid || hasEnded else { throw error }
        }
    }

    /// Cuts the connection: every request, waiting or to come, fails with ECONNABORTED or ENOTCONN.
    private func abort() {
        guard let fuseDevice, !hasEnded else { return }
        // The connection's number is the minor device number; the folder is the fusectl file system's.
        let path = "/sys/fs/fuse/connections/\(fuseDevice.minor)/abort"
        if let file = try? FileDescriptor(path, O_WRONLY) {
            let isWritten: Void? = Array("1".utf8).withUnsafeBytes { try? file.write($0, at: 0) }
            if isWritten != nil { return }
        }
        guard MountOptions.isRoot, device == fuseDevice else { return }
        if (try? MountTable.current().find(target: target)?.device) == fuseDevice {
            // Aborts even when it answers EBUSY.
            umount2(target, Int32(MNT_FORCE | UMOUNT_NOFOLLOW))
        }
    }
}
