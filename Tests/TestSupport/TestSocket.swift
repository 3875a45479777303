internal import Glibc
public import Support

/// The few socket calls that test servers need; errors are thrown as errnos.
public enum TestSocket {
    /// Listens on 127.0.0.1; port 0 takes a free one.
    public static func listen(port: UInt16 = 0) throws(Errno) -> (fd: Int32, port: UInt16) {
        let fd = try systemCall { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) }
        var on: Int32 = 1
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        do throws(Errno) {
            if port != 0 { try LoopbackPort.bind(fd, to: port) }
            let bound = port != 0 ? port : try LoopbackPort.bind(fd)
            _ = try systemCall { Glibc.listen(fd, 128) }
            return (fd, bound)
        } catch {
            close(fd)
            throw error
        }
    }

    /// Connects to 127.0.0.1.
    public static func connect(port: UInt16) throws(Errno) -> Int32 {
        let fd = try systemCall { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) }
        var address = loopback(port)
        do throws(Errno) {
            try withUnsafeMutablePointer(to: &address) { pointer throws(Errno) in
                let raw = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
                _ = try systemCall { Glibc.connect(fd, raw, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
        } catch {
            close(fd)
            throw error
        }
        var on: Int32 = 1
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return fd
    }

    /// Sends all bytes; false when the peer is gone.
    public static func send(_ bytes: [UInt8], to fd: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(fd, buffer.baseAddress.map { $0 + done }, buffer.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                if count < 0, Errno.current == .interrupted { continue }
                return false
            }
            done += count
        }
        return true
    }

    /// What has arrived, at least one byte; nil at the end or when the connection broke.
    public static func receive(from fd: Int32, atMost limit: Int = 65536) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        while true {
            let count = recv(fd, &bytes, limit, 0)
            if count < 0, Errno.current == .interrupted { continue }
            guard count > 0 else { return nil }
            return Array(bytes[..<count])
        }
    }

    /// Closes so that the peer sees a reset.
    public static func reset(_ fd: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        shutdown(fd, Int32(SHUT_RD))
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
