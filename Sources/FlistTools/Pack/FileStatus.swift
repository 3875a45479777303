internal import CLinux
internal import FlistImage
internal import Glibc
internal import Support

/// What stat(2) says, as far as a flist holds it or packing needs it.
struct FileStatus: Sendable, Hashable {
    var type: FileType
    var permissions: UInt16
    var uid: UInt32
    var gid: UInt32
    var size: UInt64
    /// Bytes on disk.
    var occupied: UInt64 = 0
    var mtime: Timestamp
    var ctime: Timestamp
    var major: UInt32 = 0
    var minor: UInt32 = 0
    var device: UInt64 = 0
    var number: UInt64 = 0
    var links: UInt64 = 1

    /// Nil for a type that Linux does not have.
    init?(_ status: stat) {
        guard let type = FileType(mode: status.st_mode) else { return nil }
        self.type = type
        permissions = UInt16(status.st_mode & 0o7777)
        uid = status.st_uid
        gid = status.st_gid
        size = UInt64(clamping: status.st_size)
        occupied = UInt64(clamping: status.st_blocks) &* 512
        mtime = Timestamp(
            seconds: Int64(status.st_mtim.tv_sec), nanoseconds: UInt32(clamping: status.st_mtim.tv_nsec))
        ctime = Timestamp(
            seconds: Int64(status.st_ctim.tv_sec), nanoseconds: UInt32(clamping: status.st_ctim.tv_nsec))
        if type == .characterDevice || type == .blockDevice {
            major = gnu_dev_major(status.st_rdev)
            minor = gnu_dev_minor(status.st_rdev)
        }
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
        links = UInt64(status.st_nlink)
    }

    /// For entries that no file stands behind.
    init(type: FileType, permissions: UInt16, uid: UInt32 = 0, gid: UInt32 = 0, size: UInt64 = 0, mtime: Timestamp) {
        self.type = type
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.size = size
        self.mtime = mtime
        ctime = mtime
    }

    /// Of what a path leads to.
    static func of(path: String) throws(Errno) -> FileStatus {
        var status = stat()
        _ = try systemCall { stat(path, &status) }
        guard let result = FileStatus(status) else { throw .invalid }
        return result
    }

    static func of(_ descriptor: Int32) throws(Errno) -> FileStatus {
        var status = stat()
        _ = try systemCall { fstat(descriptor, &status) }
        guard let result = FileStatus(status) else { throw .invalid }
        return result
    }

    /// Of an entry, without following a symlink.
    static func of(_ name: [UInt8], in directory: Int32) throws(Errno) -> FileStatus {
        var status = stat()
        _ = try name.withCString { name throws(Errno) in
            try systemCall { fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) }
        }
        guard let result = FileStatus(status) else { throw .invalid }
        return result
    }

    /// What must not differ before and after reading.
    func hasSameContent(as other: FileStatus) -> Bool { size == other.size && mtime == other.mtime }
}

extension [UInt8] {
    /// Lends the bytes as a C string. They must hold no NUL, or what follows it is lost.
    func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let text = map { CChar(bitPattern: $0) } + [0]
        let outcome: Swift.Result<Result, Failure> = text.withUnsafeBufferPointer { buffer in
            // A non-empty array has memory.
            guard let base = buffer.baseAddress else { return withEmptyCString(body) }
            do throws(Failure) {
                return .success(try body(base))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}

private func withEmptyCString<Result, Failure: Error>(
    _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
) -> Swift.Result<Result, Failure> {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1) { buffer in
        buffer.initialize(repeating: 0)
        do throws(Failure) {
            return .success(try body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped)))
        } catch {
            return .failure(error)
        }
    }
}
