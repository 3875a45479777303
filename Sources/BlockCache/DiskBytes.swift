internal import CLinux
internal import Glibc

/// How bytes of files are counted against the quota.
enum DiskBytes {
    /// What a file of that many bytes takes on a file system with pages of 4 KiB.
    static func rounded(_ bytes: UInt64) -> UInt64 {
        let (sum, overflow) = bytes.addingReportingOverflow(4095)
        return (overflow ? UInt64.max : sum) & ~4095
    }

    /// What a file takes, which is less than its size if it has holes.
    static func of(_ status: stat) -> UInt64 { rounded(UInt64(max(0, status.st_blocks)) * 512) }
}
