internal import CBtrfs
internal import Glibc
internal import Support

/// The accounting of a btrfs: a group for each subvolume, with what it uses and what it may.
///
/// The figures come from /sys, where the kernel shows those it decides by, down to what is written and not yet on
/// the disk. The quota tree on the disk, which `BTRFS_IOC_TREE_SEARCH` reads, lags behind by up to a commit
/// (30 seconds). Thread-safe.
struct Quota: Sendable {
    /// What one subvolume uses and may, in bytes.
    struct Figures {
        let used: UInt64
        /// 0 is none.
        let limit: UInt64
    }

    /// The folder of the kernel's figures, since Linux 5.9.
    private let folder: String

    /// Finds the accounting of the file system that an open folder is on.
    init(of file: borrowing FileDescriptor) throws(Errno) {
        var info = btrfs_ioctl_fs_info_args()
        let number = file.number
        _ = try systemCall { btrfs_fs_info(number, &info) }
        let id = withUnsafeBytes(of: info.fsid) { Hex.encode($0) }
        var text = ""
        for (index, digit) in id.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        folder = "/sys/fs/btrfs/\(text)/qgroups"
    }

    var isEnabled: Bool { access(folder, F_OK) == 0 }

    /// The kernel has lost track of what is used, as after a mount by one that knows no quotas.
    var isInconsistent: Bool { (try? number("inconsistent")) == 1 }

    /// Those of a subvolume; `noEntry` if it has none.
    func figures(of id: UInt64) throws(Errno) -> Figures {
        // "rsv_data" is what has been written and waits for its place on the disk.
        let used = try number("0_\(id)/referenced").addingSaturated(try number("0_\(id)/rsv_data"))
        let isLimited = try number("0_\(id)/limit_flags") & UInt64(BTRFS_QGROUP_LIMIT_MAX_RFER) != 0
        return Figures(used: used, limit: isLimited ? try number("0_\(id)/max_referenced") : 0)
    }

    /// The subvolumes that are accounted for, also those that are gone.
    func subvolumes() throws(Errno) -> [UInt64] {
        guard let directory = opendir(folder) else { throw .current }
        defer { closedir(directory) }
        return directoryNames(directory).compactMap { name in
            // "0_257": level 0 is the subvolumes', and 256 the first id that is not the system's.
            guard name.hasPrefix("0_"), let id = UInt64(name.dropFirst(2)), id >= 256 else { return nil }
            return id
        }
    }

    private func number(_ name: String) throws(Errno) -> UInt64 {
        do throws(Errno) {
            let file = try FileDescriptor("\(folder)/\(name)", O_RDONLY)
            return try withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { buffer throws(Errno) in
                let count = try file.read(into: buffer, at: 0)
                let digits = buffer.prefix(count).prefix { $0 != UInt8(ascii: "\n") }
                guard let number = UInt64(String(decoding: digits, as: UTF8.self)) else { throw .invalid }
                return number
            }
        } catch {
            // What an open file of sysfs answers when what it shows is gone (kernfs_fop_read_iter).
            throw error == .noDevice ? .noEntry : error
        }
    }
}

extension UInt64 {
    func addingSaturated(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

/// The names in a folder, without "." and ".."; those that are no UTF-8 are left out.
func directoryNames(_ directory: OpaquePointer) -> [String] {
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
        }
        if let name, name != ".", name != ".." { names.append(name) }
    }
    return names
}
