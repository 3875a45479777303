internal import Glibc
internal import Support

/// Where a metrics server listens: `127.0.0.1:9464`, `[::1]:9464`, or `:9464` for all addresses of the machine.
struct MetricsAddress: Equatable {
    /// Nil for all.
    let host: String?
    let port: UInt16

    /// Names are not looked up: what a name stands for may change, and whom the figures are shown to must not.
    init(parsing text: String) throws(FlistError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw Self.wrong(text, "a port from 0 to 65535 is missing")
        }
        self.port = port
        var host = text[..<colon]
        guard !host.isEmpty else {
            self.host = nil
            return
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard isBracketed || !host.contains(":") else { throw Self.wrong(text, "an IPv6 address needs brackets") }
        var (four, six) = (in_addr(), in6_addr())
        let name = String(host)
        let isAddress = isBracketed ? inet_pton(AF_INET6, name, &six) == 1 : inet_pton(AF_INET, name, &four) == 1
        guard isAddress else {
            throw Self.wrong(text, "'\(host)' is no address")
        }
        self.host = name
    }

    private static func wrong(_ text: String, _ why: String) -> FlistError {
        FlistError(
            .usage, "cannot listen at '\(text)': \(why); write 127.0.0.1:9464, [::1]:9464, or :9464 for all addresses")
    }

    /// A socket that listens there.
    func listen() throws(Errno) -> FileDescriptor {
        guard let host else {
            do throws(Errno) {
                return try listen(onIPv6: "::")
            } catch {
                // A machine without IPv6.
                guard [EAFNOSUPPORT, EADDRNOTAVAIL].contains(error.rawValue) else { throw error }
                return try listen(onIPv4: "0.0.0.0")
            }
        }
        return host.contains(":") ? try listen(onIPv6: host) : try listen(onIPv4: host)
    }

    /// The port that a socket got.
    static func port(of socket: borrowing FileDescriptor) throws(Errno) -> UInt16 {
        let number = socket.number
        // The port of an IPv4 address lies at the same place.
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        try withUnsafeMutablePointer(to: &address) { pointer throws(Errno) in
            let raw = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            _ = try systemCall { getsockname(number, raw, &length) }
        }
        return UInt16(bigEndian: address.sin6_port)
    }

    private func listen(onIPv4 host: String) throws(Errno) -> FileDescriptor {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return try Self.listen(AF_INET, address)
    }

    private func listen(onIPv6 host: String) throws(Errno) -> FileDescriptor {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        inet_pton(AF_INET6, host, &address.sin6_addr)
        return try Self.listen(AF_INET6, address)
    }

    private static func listen<Address>(_ family: Int32, _ address: Address) throws(Errno) -> FileDescriptor {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let number = try systemCall { Glibc.socket(family, kind, 0) }
        let socket = FileDescriptor(owning: number)
        var (on, off): (Int32, Int32) = (1, 0)
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, size)
        // IPv4 too, whatever the machine's default.
        if family == AF_INET6 { setsockopt(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, size) }
        try withUnsafePointer(to: address) { pointer throws(Errno) in
            let raw = UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            _ = try systemCall { bind(number, raw, socklen_t(MemoryLayout<Address>.size)) }
        }
        _ = try systemCall { Glibc.listen(number, 16) }
        return socket
    }
}
