internal import CLinux
internal import Glibc
internal import Support

/// How a check reads what is stored.
struct ObjectReading {
    /// Reads from the disk, past the kernel's memory: what is hot there is neither used nor pushed out.
    var isDirect = false
    /// Asked before bytes are read; false ends the check of a content without a finding.
    var mayRead: (_ bytes: Int) -> Bool = { _ in true }

    /// Opens a stored file, with the lock that eviction respects; nil if it is gone.
    func open(_ path: String, _ layoutBlockSize: Int) -> ObjectFile? {
        // Where blocks do not begin on pages the disk cannot be asked for them alone.
        if isDirect, layoutBlockSize % ObjectFile.unit == 0,
            let file = try? CachedObject.openQuietly(path, O_RDONLY | linux_o_direct)
        {
            return ObjectFile(file)
        }
        guard let file = try? CachedObject.openQuietly(path, O_RDONLY) else { return nil }
        return ObjectFile(file)
    }
}

/// A stored file that is being checked.
struct ObjectFile: ~Copyable {
    /// What direct reads are aligned to: the page, which no disk's sector is larger than.
    static let unit = 4096

    let descriptor: FileDescriptor
    let status: stat

    /// Nil if the file is being evicted.
    init?(_ file: consuming FileDescriptor) {
        guard let status = CachedObject.lockShared(file.number) else { return nil }
        self.status = status
        descriptor = file
    }

    /// Reads `length` bytes into the begin of `memory`; whether all were there. Blocks.
    ///
    /// - Parameter memory: aligned to a page, and a whole number of pages.
    func read(_ length: Int, at offset: UInt64, into memory: UnsafeMutableRawBufferPointer) -> Bool {
        let number = descriptor.number
        let flags = fcntl(number, F_GETFL)
        if flags & linux_o_direct != 0 {
            let whole = min(memory.count, (length + Self.unit - 1) / Self.unit * Self.unit)
            if let count = try? systemCall({ pread(number, memory.baseAddress, whole, Int(offset)) }), count >= length {
                return true
            }
            // A file system that took the flag and not the read, or a damaged file: the usual way decides.
            _ = fcntl(number, F_SETFL, flags & ~linux_o_direct)
        }
        let plain = UnsafeMutableRawBufferPointer(rebasing: memory[..<length])
        return (try? descriptor.read(into: plain, at: offset)) == length
    }
}
