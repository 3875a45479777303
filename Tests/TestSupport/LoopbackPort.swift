internal import Glibc
internal import Support

/// Ports of 127.0.0.1 for servers that tests start.
public enum LoopbackPort {
    /// A port that was free a moment ago, and that nobody listens on unless someone takes it.
    public static func free() throws -> UInt16 {
        let socket = try systemCall { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) }
        defer { close(socket) }
        return try bind(socket)
    }

    /// True once someone accepts connections there.
    public static func isOpen(_ port: UInt16) -> Bool {
        guard let socket = try? systemCall({ Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) }) else {
            return false
        }
        defer { close(socket) }
        var address = address(port)
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// Binds a socket to a free port and tells which.
    static func bind(_ socket: Int32) throws -> UInt16 {
        var address = address(0)
        return try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                _ = try systemCall { Glibc.bind(socket, generic, length) }
                _ = try systemCall { getsockname(socket, generic, &length) }
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
