internal import CLinux
internal import Support

/// A file in memory without a name, which other code opens by its path in /proc. Gone with its owner.
struct MemoryFile: ~Copyable {
    private let file: FileDescriptor
    private(set) var count: UInt64 = 0

    init(label: String) throws(Errno) {
        file = FileDescriptor(owning: try systemCall { linux_memfd_create(label) })
    }

    /// A path for this process alone, valid while the file lives.
    var path: String { "/proc/self/fd/\(file.number)" }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        try file.write(bytes, at: count)
        count += UInt64(bytes.count)
    }

    /// Makes the file immutable.
    mutating func seal() throws(Errno) {
        let number = file.number
        _ = try systemCall { linux_memfd_seal(number) }
    }
}
