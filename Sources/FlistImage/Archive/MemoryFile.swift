internal import CLinux
internal import Glibc
internal import Support

/// Bytes in memory that grow while they are written and are mapped afterwards. Gone with their owner.
struct MemoryFile: ~Copyable {
    private let file: FileDescriptor
    private(set) var count: UInt64 = 0
    private var mapping: UnsafeMutableRawPointer?

    init(label: String) throws(Errno) {
        file = FileDescriptor(owning: try systemCall { linux_memfd_create(label) })
    }

    deinit { if let mapping { munmap(mapping, Int(count)) } }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        try file.write(bytes, at: count)
        count += UInt64(bytes.count)
    }

    /// Maps the file, which nobody else knows and nothing is appended to any more.
    mutating func seal() throws(Errno) {
        let number = file.number
        guard count > 0 else { return }
        guard let address = mmap(nil, Int(count), PROT_READ, MAP_SHARED, number, 0), address != MAP_FAILED else {
            throw Errno.current
        }
        mapping = address
    }

    /// The bytes once sealed, valid while the file lives.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: mapping, count: mapping == nil ? 0 : Int(count))
    }
}
