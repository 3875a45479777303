internal import Glibc
internal import Support

/// What a file's status says, which changes with every write: the time of an inode's last change cannot be set.
struct FileStamp: Hashable, Sendable {
    let size: UInt64
    let isRegular: Bool
    /// Seconds of 1970 of the last change, whichever it was.
    let changed: Int64
    /// Seconds of 1970 of the last write.
    let written: Int64
    private let rest: [Int64]

    init(_ file: borrowing FileDescriptor) throws(Errno) {
        var status = stat()
        let number = file.number
        _ = try systemCall { fstat(number, &status) }
        self.init(status)
    }

    /// Of what the path itself names: links are not followed.
    init(path: String) throws(Errno) {
        var status = stat()
        _ = try systemCall { lstat(path, &status) }
        self.init(status)
    }

    private init(_ status: stat) {
        size = UInt64(max(0, status.st_size))
        isRegular = status.st_mode & S_IFMT == S_IFREG
        changed = Int64(max(status.st_ctim.tv_sec, status.st_mtim.tv_sec))
        written = Int64(status.st_mtim.tv_sec)
        rest = [
            Int64(truncatingIfNeeded: status.st_dev), Int64(truncatingIfNeeded: status.st_ino),
            Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec), Int64(status.st_ctim.tv_sec),
            Int64(status.st_ctim.tv_nsec),
        ]
    }

    /// Whether a further write would show: stamps move in steps, of up to seconds on network file systems.
    var isSettled: Bool { WallClock.now - changed > 3 }

    /// All of it in digits, for a line of text.
    var text: String { ([Int64(clamping: size)] + rest).map { String($0) }.joined(separator: "-") }
}

enum WallClock {
    /// Seconds of 1970.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }
}
