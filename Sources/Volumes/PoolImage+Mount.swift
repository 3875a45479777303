internal import CBtrfs
internal import CLinux
internal import Glibc
internal import Logging
internal import Support

extension PoolImage {
    /// Sees to it that the image is mounted, and may be written unless it is in use and an error forbids that; makes
    /// one of `size` bytes where there is none.
    func ensureMounted(size: UInt64, _ logger: Logger) throws(FlistError) {
        while true {
            // The folder below the mount is the lock against other processes; who comes second finds the mount.
            let lock = try lockMountPoint()
            guard try isMounted() else {
                if access(path, F_OK) != 0 {
                    try make(size: size)
                    logger.info("made an image for volumes", metadata: ["image": "\(path)"])
                }
                try mount()
                _ = consume lock
                return
            }
            guard try isReadOnly() else { return }
            // An error made it so, such as a full disk below: a new mount starts anew. The lock would keep it busy.
            _ = consume lock
            do throws(FlistError) {
                try unmount()
            } catch {
                guard error.code == .busy else { throw error }
                // It can still be read.
                logger.error("the pool of volumes is read-only, and in use", metadata: ["path": "\(mountPoint)"])
                return
            }
            logger.warning("the pool of volumes was read-only: mounting it anew", metadata: ["path": "\(mountPoint)"])
        }
    }

    /// Whether the image, and not something else, is seen at the mount point.
    func isMounted() throws(FlistError) -> Bool {
        guard let entry = try MountTable.current().find(target: mountPoint), entry.type == "btrfs" else { return false }
        guard let device = try? LoopDevice(entry.source) else { return false }
        return device.isAttached(to: path)
    }

    /// Unmounts it; the kernel then detaches its loop device.
    ///
    /// - Throws: `FlistError` with code `busy` when it is in use.
    func unmount() throws(FlistError) {
        do throws(Errno) {
            _ = try systemCall { umount2(mountPoint, Int32(UMOUNT_NOFOLLOW)) }
        } catch {
            throw FlistError("cannot unmount \(mountPoint)", errno: error)
        }
    }

    /// Mounts it, through the device that is attached to it already if there is one.
    private func mount() throws(FlistError) {
        let device = try attach()
        do throws(Errno) {
            // Deleted files give their blocks back to the host, in the background.
            _ = try systemCall { Glibc.mount(device.path, mountPoint, "btrfs", UInt(MS_NOATIME), "discard=async") }
            // What users of the host may do is decided where a volume is mounted, not here.
            _ = try systemCall { chmod(mountPoint, 0o700) }
        } catch {
            throw mountFailure(error)
        }
    }

    private func mountFailure(_ error: Errno) -> FlistError {
        let what = "cannot mount \(path) at \(mountPoint)"
        return switch error {
        case .noDevice: FlistError(.unsupported, "\(what): the kernel has no btrfs, try modprobe btrfs")
        case .notPermitted: FlistError(.permission, "\(what): only root may")
        // What the kernel found, it tells its log only.
        case .invalid, .io: FlistError(.io, "\(what): it is damaged, or from a newer kernel, see dmesg", cause: error)
        default: FlistError(what, errno: error)
        }
    }

    private func attach() throws(FlistError) -> LoopDevice {
        do throws(Errno) {
            if let device = try LoopDevice.attached(to: path) { return device }
        } catch {
            throw FlistError("cannot look for loop devices", errno: error)
        }
        return try LoopDevice.attach(path)
    }

    private func isReadOnly() throws(FlistError) -> Bool {
        var status = statvfs()
        guard statvfs(mountPoint, &status) == 0 else {
            throw FlistError("cannot look at \(mountPoint)", errno: .current)
        }
        return status.f_flag & UInt(ST_RDONLY) != 0
    }

    private func lockMountPoint() throws(FlistError) -> FileDescriptor {
        do throws(Errno) {
            let lock = try FileDescriptor(mountPoint, O_RDONLY | O_DIRECTORY)
            let number = lock.number
            _ = try systemCall { flock(number, LOCK_EX) }
            return lock
        } catch {
            throw FlistError("cannot lock \(mountPoint)", errno: error)
        }
    }
}
