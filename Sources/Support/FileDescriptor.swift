internal import Glibc

/// An open file descriptor that is closed when its owner lets go of it.
public struct FileDescriptor: ~Copyable, Sendable {
    public let number: Int32

    /// Takes ownership of an open descriptor.
    public init(owning number: Int32) { self.number = number }

    /// Opens a file, always with `O_CLOEXEC`. Blocks.
    public init(_ path: String, _ flags: Int32, mode: UInt32 = 0) throws(Errno) {
        number = try systemCall { open(path, flags | O_CLOEXEC, mode) }
    }

    deinit { close(number) }

    /// Gives up ownership: the caller closes.
    public consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    /// Another descriptor of the same open file.
    public borrowing func duplicate() throws(Errno) -> FileDescriptor {
        let number = number
        return FileDescriptor(owning: try systemCall { fcntl(number, F_DUPFD_CLOEXEC, 0) })
    }

    /// Reads until `buffer` is full or the file ends; answers the bytes read. Thread-safe.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        let number = number
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try systemCall { pread(number, rest.baseAddress, rest.count, Int(offset) + done) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Writes all of `bytes`. Thread-safe.
    public borrowing func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(Errno) {
        let number = number
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try systemCall { pwrite(number, rest.baseAddress, rest.count, Int(offset) + done) }
        }
    }
}
