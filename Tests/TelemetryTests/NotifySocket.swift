import Glibc
import Support

@testable import Telemetry

/// A service manager's end of the notification socket.
final class NotifySocket: Sendable {
    private let socket: FileDescriptor

    init(_ name: String) throws {
        let address = try UnixAddress(name)
        let number = try systemCall { Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0) }
        socket = FileDescriptor(owning: number)
        _ = try address.withPointer { pointer, length throws(Errno) in
            try systemCall { bind(number, pointer, length) }
        }
    }

    /// The datagrams that have come.
    func received() -> [String] {
        var texts: [String] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket.number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return texts }
            texts.append(String(decoding: bytes[..<count], as: UTF8.self))
        }
    }
}
