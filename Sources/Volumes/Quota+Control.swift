internal import CBtrfs
internal import Glibc
internal import Support

extension Quota {
    /// How a file system keeps its accounts.
    enum Kind {
        /// Follows sharing between subvolumes; any kernel.
        case full
        /// Accounts to the subvolume that wrote first: costs next to nothing and cannot become inconsistent. Since
        /// Linux 6.7; an older kernel does not mount a file system that ever had it.
        case simple
    }

    /// Turns accounting on; `simple` becomes `full` where the kernel does not have it. Does nothing if it is on.
    func enable(_ kind: Kind, on file: borrowing FileDescriptor) throws(Errno) {
        let number = file.number
        func control(_ command: UInt64) throws(Errno) {
            var arguments = btrfs_ioctl_quota_ctl_args(cmd: command, status: 0)
            _ = try systemCall { btrfs_quota_ctl(number, &arguments) }
        }
        if kind == .simple {
            // BTRFS_QUOTA_CTL_ENABLE_SIMPLE_QUOTA, which the headers of Linux 6.1 do not have.
            do throws(Errno) { return try control(4) } catch { guard error == .invalid else { throw error } }
        }
        try control(UInt64(BTRFS_QUOTA_CTL_ENABLE))
    }

    /// Starts to count anew what is used; `waiting` returns when it is counted.
    func rescan(on file: borrowing FileDescriptor, waiting: Bool) throws(Errno) {
        let number = file.number
        var arguments = btrfs_ioctl_quota_rescan_args()
        do throws(Errno) {
            _ = try systemCall { btrfs_quota_rescan(number, &arguments) }
        } catch {
            guard error.rawValue == EINPROGRESS else { throw error }
        }
        if waiting { _ = try systemCall { btrfs_quota_rescan_wait(number) } }
    }

    /// Limits what a subvolume refers to, which without snapshots is what it holds: data, directories, extents of a
    /// compressed file as they are on the disk. It holds at once.
    func limit(_ id: UInt64, to bytes: UInt64, on file: borrowing FileDescriptor) throws(Errno) {
        let number = file.number
        var arguments = btrfs_ioctl_qgroup_limit_args()
        arguments.qgroupid = id
        arguments.lim.flags = UInt64(BTRFS_QGROUP_LIMIT_MAX_RFER)
        // The kernel takes all ones for "no limit".
        arguments.lim.max_rfer = bytes == 0 ? .max : min(bytes, .max - 1)
        _ = try systemCall { btrfs_qgroup_limit(number, &arguments) }
    }

    /// Forgets the group of a subvolume that is gone; `busy` as long as something is accounted to it.
    func remove(_ id: UInt64, on file: borrowing FileDescriptor) throws(Errno) {
        let number = file.number
        var arguments = btrfs_ioctl_qgroup_create_args(create: 0, qgroupid: id)
        _ = try systemCall { btrfs_qgroup_create(number, &arguments) }
    }
}
