internal import CLinux
internal import Glibc
internal import Support

/// What the Mount that began a shared mount said, noted on its file for the next start of the service.
///
/// Notes are attributes that only root may read, since addresses of stores hold passwords. On a file system without
/// such attributes nothing is noted: after a restart the fallback is asked then.
struct MountHint {
    /// The store to ask first; empty for none.
    var storage = ""
    /// Where the flist came from, without secrets; empty if nobody knows.
    var url = ""

    private static let longest = 4096

    init(storage: String, url: String) {
        self.storage = storage
        self.url = url
    }

    init(of flist: String) {
        storage = Self.read("storage", flist)
        url = Self.read("url", flist)
    }

    func write(on flist: String) {
        Self.write(storage, "storage", flist)
        Self.write(url, "url", flist)
    }

    private static func write(_ text: String, _ name: String, _ flist: String) {
        // A note changes the file's ctime on most file systems, and the file is then read anew to be trusted.
        guard read(name, flist) != text else { return }
        if text.isEmpty {
            removexattr(flist, "trusted.flist.\(name)")
        } else {
            _ = setxattr(flist, "trusted.flist.\(name)", text, text.utf8.count, 0)
        }
    }

    private static func read(_ name: String, _ flist: String) -> String {
        withUnsafeTemporaryAllocation(byteCount: longest, alignment: 1) { buffer in
            let count = getxattr(flist, "trusted.flist.\(name)", buffer.baseAddress, buffer.count)
            guard count > 0 else { return "" }
            return String(validating: buffer[..<count], as: UTF8.self) ?? ""
        }
    }
}
