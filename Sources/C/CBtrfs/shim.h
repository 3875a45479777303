#pragma once
#include <btrfsutil.h>
#include <linux/btrfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

// ioctl(2) is variadic and its request numbers are function macros: one function each.
static inline int btrfs_fs_info(int fd, struct btrfs_ioctl_fs_info_args *args) { return ioctl(fd, BTRFS_IOC_FS_INFO, args); }
static inline int btrfs_dev_info(int fd, struct btrfs_ioctl_dev_info_args *args) { return ioctl(fd, BTRFS_IOC_DEV_INFO, args); }
static inline int btrfs_quota_ctl(int fd, struct btrfs_ioctl_quota_ctl_args *args) { return ioctl(fd, BTRFS_IOC_QUOTA_CTL, args); }
static inline int btrfs_quota_rescan(int fd, struct btrfs_ioctl_quota_rescan_args *args) { return ioctl(fd, BTRFS_IOC_QUOTA_RESCAN, args); }
static inline int btrfs_quota_rescan_wait(int fd) { return ioctl(fd, BTRFS_IOC_QUOTA_RESCAN_WAIT); }
static inline int btrfs_qgroup_limit(int fd, struct btrfs_ioctl_qgroup_limit_args *args) { return ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, args); }
static inline int btrfs_qgroup_create(int fd, struct btrfs_ioctl_qgroup_create_args *args) { return ioctl(fd, BTRFS_IOC_QGROUP_CREATE, args); }

// A fixed array of characters: grows the file system to the size of its first device.
static inline int btrfs_resize_max(int fd) {
    struct btrfs_ioctl_vol_args args = {.name = "1:max"};
    return ioctl(fd, BTRFS_IOC_RESIZE, &args);
}

// A flexible array and unions, which libbtrfsutil keeps to itself: a subvolume that has its limit from the start.
static inline int btrfs_subvolume_create(int fd, const char *name, __u64 limit) {
    struct btrfs_qgroup_inherit inherit = {.flags = BTRFS_QGROUP_INHERIT_SET_LIMITS};
    struct btrfs_ioctl_vol_args_v2 args = {.flags = 0};
    inherit.lim.flags = BTRFS_QGROUP_LIMIT_MAX_RFER;
    inherit.lim.max_rfer = limit;
    if (limit > 0) {
        args.flags = BTRFS_SUBVOL_QGROUP_INHERIT;
        args.size = sizeof inherit;
        args.qgroup_inherit = &inherit;
    }
    strncpy(args.name, name, sizeof args.name - 1);
    return ioctl(fd, BTRFS_IOC_SUBVOL_CREATE_V2, &args);
}
