internal import Glibc
internal import Support

/// A directory held open, so that its entries are reached whatever is renamed above it. Thread-safe.
final class OpenDirectory: Sendable {
    let descriptor: FileDescriptor
    /// From the source on, for people; empty for the source itself.
    let path: [UInt8]

    private init(_ descriptor: consuming FileDescriptor, path: [UInt8]) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens the top; here a symlink is followed.
    static func open(path: String) throws(Errno) -> OpenDirectory {
        OpenDirectory(try FileDescriptor(path, O_RDONLY | O_DIRECTORY), path: [])
    }

    /// Opens a directory in this one, never through a symlink.
    func open(_ name: [UInt8]) throws(Errno) -> OpenDirectory {
        OpenDirectory(try openEntry(name, O_RDONLY | O_DIRECTORY), path: path(of: name))
    }

    func openEntry(_ name: [UInt8], _ flags: Int32) throws(Errno) -> FileDescriptor {
        let number = descriptor.number
        return FileDescriptor(
            owning: try name.withCString { name throws(Errno) in
                try systemCall { openat(number, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY) }
            })
    }

    func path(of name: [UInt8]) -> [UInt8] { path.isEmpty ? name : path + [UInt8(ascii: "/")] + name }

    /// The names in it, sorted by bytes.
    func names() throws(Errno) -> [[UInt8]] {
        let copy = try descriptor.duplicate().release()
        guard let stream = fdopendir(copy) else {
            let error = Errno.current
            close(copy)
            throw error
        }
        defer { closedir(stream) }
        rewinddir(stream)
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Errno.current }
                break
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { [UInt8]($0.prefix { $0 != 0 }) }
            if name != [UInt8(ascii: ".")] && name != [UInt8(ascii: "."), UInt8(ascii: ".")] { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    func linkTarget(_ name: [UInt8], size: UInt64) throws(Errno) -> [UInt8] {
        let number = descriptor.number
        // The kernel allows 4,095 bytes; the size may be 0 on file systems like /proc.
        var target = [CChar](repeating: 0, count: 4096)
        let count = try name.withCString { name throws(Errno) in
            try systemCall { readlinkat(number, name, &target, target.count) }
        }
        return target.prefix(count).map { UInt8(bitPattern: $0) }
    }
}
