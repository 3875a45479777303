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
    ///
    /// None that the kernel gives to connections (from 32768 on): one of those would take the port of a server that a test
    /// ends and starts again.
    static func bind(_ socket: Int32) throws(Errno) -> UInt16 {
        while true {
            let port = UInt16.random(in: 10_000..<32_768)
            do throws(Errno) {
                try bind(socket, to: port)
                return port
            } catch {
                guard error.rawValue == EADDRINUSE else { throw error }
            }
        }
    }

    static func bind(_ socket: Int32, to port: UInt16) throws(Errno) {
        var address = address(port)
        _ = try systemCall {
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
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
