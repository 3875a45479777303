internal import CLinux
internal import Glibc
internal import Support

/// The address of a unix socket, see unix(7): a path of any length, or `@` and an abstract name.
struct UnixAddress: ~Copyable {
    private var address = sockaddr_un()
    private var length: socklen_t = 0
    /// The folder of a path that is too long for an address: named by its descriptor, it is short.
    private var folder: FileDescriptor?

    /// - Throws: `nameTooLong` for a last component that does not fit, and what opening a long path's folder throws.
    init(_ name: String) throws(Errno) {
        address.sun_family = sa_family_t(AF_UNIX)
        if name.hasPrefix("@") {
            try fill([0] + Array(name.utf8.dropFirst()))
            return
        }
        guard name.utf8.count > Self.limit else {
            try fill(Array(name.utf8) + [0])
            return
        }
        let (parent, last) = Self.split(name)
        let folder = try FileDescriptor(parent, linux_o_path | O_DIRECTORY)
        try fill(Array("/proc/self/fd/\(folder.number)/\(last)".utf8) + [0])
        self.folder = consume folder
    }

    /// The longest path that an address holds.
    static let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// A path's folder and its last component.
    static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }

    private mutating func fill(_ bytes: [UInt8]) throws(Errno) {
        guard bytes.count <= Self.limit + 1 else { throw .nameTooLong }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? MemoryLayout<sa_family_t>.size
        length = socklen_t(start + bytes.count)
    }

    /// Runs `body` with what bind(2), connect(2) and sendto(2) take.
    borrowing func withPointer<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let length = length
        return try withUnsafePointer(to: address) { pointer throws(Errno) in
            try body(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), length)
        }
    }
}
