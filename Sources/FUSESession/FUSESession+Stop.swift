internal import CLinux
internal import Glibc
public import Support

extension FUSESession {
    /// Takes the mount out of the tree and waits until every worker has ended. Blocks.
    ///
    /// What is still open goes on being served, and the call lasts until it is closed; `force` cuts the connection
    /// instead, and its users get errors (an ordinary user needs /sys/fs/fuse/connections for that). Does nothing if
    /// the file system is unmounted already.
    ///
    /// - Throws: `FlistError` with code `busy` when another mount lies on top.
    public func stop(force: Bool = false) throws(FlistError) {
        try detach(force: force)
        wait()
    }

    /// Takes the mount out of the tree at once; it ends with its last user.
    public func detach(force: Bool = false) throws(FlistError) {
        guard let device else {
            if force { abort() }
            if !hasEnded { try unmount(target, lazy: true) }
            return
        }
        let mounts = try MountTable.current().entries.filter { $0.mountPoint == target }
        let isMounted = mounts.contains { $0.device == device }
        // Before anything is cut: nobody could take the dead mount below away.
        guard !isMounted || mounts.last?.device == device else {
            throw FlistError(.busy, "cannot unmount \(target): another mount lies on top, unmount that first")
        }
        if force { abort() }
        guard isMounted else { return }
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
        // The connection's number is the minor device number.
        if abortByControl("/sys/fs/fuse/connections/\(fuseDevice.minor)/abort", in: AT_FDCWD) { return }
        guard MountOptions.isRoot else { return }
        if let control = FUSESession.openControl() {
            if abortByControl("\(fuseDevice.minor)/abort", in: control.number) { return }
        }
        if device == fuseDevice, (try? MountTable.current().find(target: target)?.device) == fuseDevice {
            // Aborts even when it answers EBUSY.
            umount2(target, Int32(MNT_FORCE | UMOUNT_NOFOLLOW))
        }
    }

    /// Writes to a connection's file of the FUSE control file system; false when that is not possible.
    private func abortByControl(_ path: String, in folder: Int32) -> Bool {
        let number = openat(folder, path, O_WRONLY | O_CLOEXEC)
        guard number >= 0 else { return false }
        let file = FileDescriptor(owning: number)
        // Not FileDescriptor's write: the file has no offsets.
        return write(file.number, "1", 1) == 1
    }

    /// The FUSE control file system, mounted nowhere: it is not in /sys in every container.
    private static func openControl() -> FileDescriptor? {
        let context = fsopen("fusectl", UInt32(FSOPEN_CLOEXEC))
        guard context >= 0 else { return nil }
        defer { close(context) }
        guard fsconfig(context, FSCONFIG_CMD_CREATE.rawValue, nil, nil, 0) == 0 else { return nil }
        let mounted = fsmount(context, UInt32(FSMOUNT_CLOEXEC), 0)
        return mounted >= 0 ? FileDescriptor(owning: mounted) : nil
    }
}
