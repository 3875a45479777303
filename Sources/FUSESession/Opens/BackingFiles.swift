internal import CFUSE
internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// Files registered with a FUSE connection for the kernel to read by itself. Thread-safe.
///
/// Each id holds the file open within the kernel, where it counts in fs.file-nr, until it is given back or the
/// connection ends. The calls are described in the kernel's Documentation/filesystems/fuse/fuse-passthrough.rst; its
/// header is younger than Debian 12's.
final class BackingFiles: Sendable {
    /// INIT's flag FUSE_PASSTHROUGH, bit 37.
    static let initFlag: UInt64 = 1 << 37
    /// Stacked file systems below this one that are allowed, and one: 2, the kernel's limit, would leave no room for an
    /// overlay on top.
    static let stackDepth: UInt32 = 1
    /// FOPEN_PASSTHROUGH of an answer to OPEN.
    static let openFlag: UInt32 = 1 << 7

    /// `struct fuse_backing_map`.
    private struct Map {
        var descriptor: Int32
        var flags: UInt32 = 0
        var padding: UInt64 = 0
    }

    // FUSE_DEV_IOC_BACKING_OPEN and _CLOSE: _IOW(229, 1, struct fuse_backing_map) and _IOW(229, 2, uint32_t).
    private static let openRequest: UInt = 0x4010_e501
    private static let closeRequest: UInt = 0x4004_e502

    private let device: Int32
    private let isUsable = Atomic<Bool>(true)
    private let count: Atomic<Int>

    /// - Parameters:
    ///   - device: the descriptor of the FUSE device, which outlives this.
    ///   - held: ids that an earlier process was given.
    init(device: Int32, held: Int = 0) {
        self.device = device
        count = Atomic(held)
    }

    /// Ids that are not given back.
    var held: Int { count.load(ordering: .relaxed) }

    /// Whether the kernel lets this process register files at all: CAP_SYS_ADMIN, and not of a user namespace.
    func isPermitted() -> Bool {
        let number = linux_memfd_create("flist-passthrough")
        guard number >= 0 else { return false }
        guard let id = open(FileDescriptor(owning: number)) else { return false }
        close(id)
        return true
    }

    /// Registers a file; nil where the kernel refuses. Files on stacked file systems, as overlays are, always are.
    func open(_ file: borrowing FileDescriptor) -> Int32? {
        guard isUsable.load(ordering: .relaxed) else { return nil }
        var map = Map(descriptor: file.number)
        let id = ioctl(device, Self.openRequest, &map)
        guard id > 0 else {
            // For want of memory or files the next one may do; else it stays as it is, and each try would cost.
            if id < 0, ![ENOMEM, ENFILE, EMFILE, ENOSPC, EINTR].contains(errno) {
                isUsable.store(false, ordering: .relaxed)
            }
            return nil
        }
        count.add(1, ordering: .relaxed)
        return id
    }

    func close(_ id: Int32) {
        var id = UInt32(bitPattern: id)
        _ = ioctl(device, Self.closeRequest, &id)
        count.subtract(1, ordering: .relaxed)
    }
}
