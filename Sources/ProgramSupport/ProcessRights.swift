internal import CLinux
internal import CSeccomp
internal import Glibc
public import Support

/// The rights that a process which serves mounts keeps, of root's: of an ordinary user's there is nothing to take, and
/// no_new_privs would take fusermount3 from it.
///
/// They belong to threads, which hand them on to those that they start: call `reduce` before the first one. What a
/// stranger's flist or store might make of a fault in here is less by what is gone.
public enum ProcessRights {
    /// What the process is for.
    public enum Role: Sendable {
        /// Serves one mount. A writable one does in its overlay, with these rights, what those who use it may do.
        case mount(writable: Bool)
        /// Serves a node: named mounts, volumes, a bus.
        case node
    }

    /// Gives up what the role does not need, for good: capabilities, new privileges by execve(2), system calls, and
    /// dumps of memory. Does nothing unless the process is root.
    ///
    /// - Throws: when the kernel refuses; what was given up until then is gone.
    public static func reduce(to role: Role) throws(FlistError) {
        guard geteuid() == 0 else { return }
        do throws(Errno) {
            // Memory holds keys and contents.
            var limit = rlimit(rlim_cur: 0, rlim_max: 0)
            _ = try systemCall { setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) }
            _ = try systemCall { linux_set_not_dumpable() }
            _ = try systemCall { linux_set_no_new_privileges() }
            try keep(capabilities(role))
            try deny(systemCalls(role))
        } catch {
            throw FlistError("cannot give up rights that are not needed", errno: error)
        }
    }

    /// capabilities(7).
    private static func capabilities(_ role: Role) -> [Int32] {
        // mount(2), umount(2), FUSE_DEV_IOC_BACKING_OPEN; flists, stores and caches that belong to others.
        let reading = [CAP_SYS_ADMIN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER]
        // overlayfs touches its upper side with the rights of who mounted it.
        let writing = [
            CAP_CHOWN, CAP_FSETID, CAP_LINUX_IMMUTABLE, CAP_MKNOD, CAP_SETFCAP, CAP_SYS_RESOURCE,
        ]
        return switch role {
        case .mount(writable: false): reading
        case .mount(writable: true): reading + writing
        // Who uses a mount is found in /proc; metrics may be shown on a port below 1024.
        case .node: reading + writing + [CAP_SYS_PTRACE, CAP_NET_BIND_SERVICE]
        }
    }

    private static func keep(_ capabilities: [Int32]) throws(Errno) {
        for capability in 0..<Int32(64) where !capabilities.contains(capability) {
            // In a container that lacks the right to it, the set below is all that counts.
            if linux_drop_from_bounding_set(capability) != 0, Errno.current == .invalid { break }
        }
        let kept = capabilities.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
        _ = try systemCall { linux_keep_capabilities(kept) }
    }

    /// What no part of the programs calls, and exploits like to.
    private static func systemCalls(_ role: Role) -> [String] {
        let never = [
            "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module",
            "finit_module", "init_module", "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load",
            "keyctl", "lookup_dcookie", "nfsservctl", "open_by_handle_at", "perf_event_open", "personality",
            "pivot_root", "process_vm_readv", "process_vm_writev", "ptrace", "reboot", "request_key", "settimeofday",
            "swapoff", "swapon", "syslog", "userfaultfd", "vhangup",
        ]
        return switch role {
        // The one that starts a successor is another process.
        case .mount: never + ["execve", "execveat"]
        // mkfs.btrfs, and the keeper.
        case .node: never
        }
    }

    private static func deny(_ names: [String]) throws(Errno) {
        guard let filter = seccomp_init(SCMP_ACT_ALLOW) else { throw .noMemory }
        defer { seccomp_release(filter) }
        // SCMP_ACT_ERRNO(EPERM), a macro.
        let refusal = 0x0005_0000 | UInt32(EPERM)
        for name in names {
            let number = seccomp_syscall_resolve_name(name)
            // Not every architecture has all of them.
            guard number >= 0 else { continue }
            try check(seccomp_rule_add_array(filter, refusal, number, 0, nil))
        }
        try check(seccomp_load(filter))
    }

    /// libseccomp answers negative error numbers.
    private static func check(_ code: Int32) throws(Errno) {
        guard code < 0 else { return }
        throw Errno(rawValue: -code)
    }
}
