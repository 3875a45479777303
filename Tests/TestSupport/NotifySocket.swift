internal import Glibc
internal import Support

/// A service manager's end of the notification socket, see sd_notify(3).
public final class NotifySocket: Sendable {
    private let socket: FileDescriptor

    /// - Parameter name: a path, or `@` and an abstract name.
    public init(_ name: String) throws {
        let number = try systemCall { Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0) }
        socket = FileDescriptor(owning: number)
        guard !name.hasPrefix("@") else {
            try Self.bind(number, [0] + Array(name.utf8.dropFirst()))
            return
        }
        // A path may be longer than an address: its folder is named by a descriptor.
        let last = name.split(separator: "/").last ?? ""
        let folder = try FileDescriptor(String(name.dropLast(last.count)), O_RDONLY | O_DIRECTORY)
        try Self.bind(number, Array("/proc/self/fd/\(folder.number)/\(last)".utf8))
    }

    private static func bind(_ socket: Int32, _ name: [UInt8]) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard name.count < capacity else { throw Errno.invalid }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size - capacity + name.count)
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = try systemCall { Glibc.bind(socket, generic, length) }
            }
        }
    }

    /// The datagrams that have come.
    public func received() -> [String] {
        var texts: [String] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket.number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return texts }
            texts.append(String(decoding: bytes[..<count], as: UTF8.self))
        }
    }
}
