internal import Glibc
internal import Support

/// Tells the service manager how the program is, as sd_notify(3) describes: datagrams to the socket in NOTIFY_SOCKET.
///
/// Does nothing where no manager listens. Thread-safe. Never fails the program: what cannot be told is not told.
public struct ServiceNotifier: Sendable {
    private let socket: String?

    /// The manager that started this process, if it wants to be told.
    public init() { self.init(socket: getenv("NOTIFY_SOCKET").map { String(cString: $0) }) }

    /// - Parameter socket: a path, or `@` and an abstract name; nil or empty for nobody. Others are left alone.
    public init(socket: String?) {
        let isKnown = socket.map { $0.hasPrefix("/") || $0.hasPrefix("@") } ?? false
        self.socket = isKnown ? socket : nil
    }

    /// Whether somebody wants to be told.
    public var isActive: Bool { socket != nil }

    /// The service is up: those that wait for it may start. Answers whether the manager took it.
    @discardableResult
    public func ready(_ status: String? = nil) -> Bool {
        send(["READY=1"] + (status.map { [Self.status($0)] } ?? []))
    }

    /// The service is going down, which may take a while.
    @discardableResult
    public func stopping(_ status: String? = nil) -> Bool {
        send(["STOPPING=1"] + (status.map { [Self.status($0)] } ?? []))
    }

    /// One line for `systemctl status`.
    @discardableResult
    public func status(_ text: String) -> Bool { send([Self.status(text)]) }

    /// Starting or stopping takes longer: the manager's patience begins anew.
    @discardableResult
    public func needs(_ time: Duration) -> Bool {
        let (seconds, fraction) = time.components
        guard (0...31_536_000).contains(seconds) else { return false }
        return send(["EXTEND_TIMEOUT_USEC=\(seconds * 1_000_000 + fraction / 1_000_000_000_000)"])
    }

    private static func status(_ text: String) -> String {
        "STATUS=" + String(text.map { $0.isNewline ? " " : $0 })
    }

    private func send(_ assignments: [String]) -> Bool {
        guard let path = socket else { return false }
        let bytes = Array(assignments.joined(separator: "\n").utf8)
        do throws(Errno) {
            let address = try UnixAddress(path)
            let sender = FileDescriptor(
                owning: try systemCall {
                    Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
                })
            // A manager that does not read must not hold up the service.
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            setsockopt(sender.number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            let number = sender.number
            let count = try address.withPointer { pointer, length throws(Errno) in
                try systemCall { sendto(number, bytes, bytes.count, Int32(MSG_NOSIGNAL), pointer, length) }
            }
            return count == bytes.count
        } catch {
            return false
        }
    }
}
