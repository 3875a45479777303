internal import CLinux
internal import Glibc
internal import Support

/// Notes on a downloaded flist which store its mount was told to ask, for the next start of the service.
///
/// It is an attribute that only root may read, since addresses hold passwords. The address of the last mount counts.
enum StorageHint {
    private static let attribute = "trusted.flist.storage"
    private static let longest = 4096

    /// On a file system without such attributes, the fallback is asked after a restart.
    static func write(_ storage: String, on flist: String) {
        if storage.isEmpty {
            removexattr(flist, attribute)
        } else {
            _ = setxattr(flist, attribute, storage, storage.utf8.count, 0)
        }
    }

    /// Empty for none.
    static func read(from flist: String) -> String {
        withUnsafeTemporaryAllocation(byteCount: longest, alignment: 1) { buffer in
            let count = getxattr(flist, attribute, buffer.baseAddress, buffer.count)
            guard count > 0 else { return "" }
            return String(validating: buffer[..<count], as: UTF8.self) ?? ""
        }
    }
}
