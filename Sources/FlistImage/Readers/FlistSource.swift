internal import Glibc
internal import Support

/// What kind of file a flist is, told by its first bytes.
enum FlistSource {
    case database
    case archive

    /// Enough for the magic of a tar header.
    static let headLength = 512

    /// Nil when the bytes are the beginning of nothing that can be a flist.
    init?(head: [UInt8]) {
        if head.starts(with: Array("SQLite format 3\0".utf8)) {
            self = .database
            return
        }
        // gzip, zstd, xz, bzip2, lz4, compress, lzma: as their format descriptions have them.
        let compressions: [[UInt8]] = [
            [0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], [0x42, 0x5a, 0x68],
            [0x04, 0x22, 0x4d, 0x18], [0x1f, 0x9d], [0x5d, 0x00, 0x00],
        ]
        guard compressions.contains(where: head.starts(with:)) || head.dropFirst(257).starts(with: Array("ustar".utf8))
        else { return nil }
        self = .archive
    }
}

/// A file as it was at one moment: when any of this differs, it may be another one.
struct FileIdentity: Equatable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let modified: Timestamp
    let changed: Timestamp
    let isDirectory: Bool
    let isRegular: Bool

    /// Of an open file.
    init(_ file: borrowing FileDescriptor) throws(Errno) {
        var status = stat()
        let number = file.number
        _ = try systemCall { fstat(number, &status) }
        self.init(status)
    }

    /// Of what a path leads to.
    init(path: String) throws(Errno) {
        var status = stat()
        _ = try systemCall { stat(path, &status) }
        self.init(status)
    }

    private init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Timestamp(
            seconds: Int64(status.st_mtim.tv_sec), nanoseconds: UInt32(truncatingIfNeeded: status.st_mtim.tv_nsec))
        changed = Timestamp(
            seconds: Int64(status.st_ctim.tv_sec), nanoseconds: UInt32(truncatingIfNeeded: status.st_ctim.tv_nsec))
        isRegular = status.st_mode & S_IFMT == S_IFREG
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
    }
}
