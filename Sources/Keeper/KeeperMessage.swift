internal import Glibc
internal import Support

/// One packet between a keeper and those who use it, over a SOCK_SEQPACKET socket.
enum KeeperMessage: Equatable {
    /// Hold this, in place of what has its key: the one who says so serves it.
    case keep(KeptItem)
    /// Let go of what has the key.
    case drop(String)
    /// Hand out everything.
    case take
    /// One thing that is held, an answer to `take`.
    case item(KeptItem)
    /// No more of them.
    case end

    static let maximumLength = 128 << 10
    static let maximumDescriptors = 4

    private var fields: [[UInt8]] {
        switch self {
        case .keep(let item): [[1], Array(item.key.utf8), item.description]
        case .drop(let key): [[2], Array(key.utf8)]
        case .take: [[3]]
        case .item(let item): [[4], Array(item.key.utf8), item.description]
        case .end: [[5]]
        }
    }

    private init?(_ bytes: some Collection<UInt8>, _ descriptors: [Int32]) {
        guard let fields = Fields.decode(bytes), let kind = fields.first else { return nil }
        let key = fields.count > 1 ? String(decoding: fields[1], as: UTF8.self) : ""
        let item = KeptItem(key: key, description: fields.count > 2 ? fields[2] : [], descriptors: descriptors)
        switch (kind, fields.count) {
        case ([1], 3): self = .keep(item)
        case ([2], 2): self = .drop(key)
        case ([3], 1): self = .take
        case ([4], 3): self = .item(item)
        case ([5], 1): self = .end
        default: return nil
        }
    }

    /// Sends it; descriptors arrive as copies. Blocks while the socket is full.
    func send(on socket: Int32) throws(Errno) {
        var descriptors: [Int32] = []
        if case .keep(let item) = self { descriptors = item.descriptors }
        if case .item(let item) = self { descriptors = item.descriptors }
        var bytes = Fields.encode(fields)
        guard bytes.count <= Self.maximumLength, descriptors.count <= Self.maximumDescriptors else { throw .invalid }
        var control = Control(descriptors)
        try withPacket(&bytes, &control) { packet throws(Errno) in
            _ = try systemCall { sendmsg(socket, &packet, Int32(MSG_NOSIGNAL)) }
        }
    }

    /// Receives one; nil at the end of the connection. Blocks.
    ///
    /// - Throws: `invalid` for what is none.
    static func receive(on socket: Int32) throws(Errno) -> KeeperMessage? {
        var bytes = [UInt8](repeating: 0, count: maximumLength)
        var control = Control([])
        var count = 0
        var received: [Int32] = []
        control.length = MemoryLayout<Control>.size
        try withPacket(&bytes, &control) { packet throws(Errno) in
            // MSG_CMSG_CLOEXEC, which Glibc shows with _GNU_SOURCE only.
            count = try systemCall { recvmsg(socket, &packet, 0x4000_0000) }
        }
        received = control.received
        guard count > 0 else { return nil }
        guard let message = KeeperMessage(bytes.prefix(count), received) else {
            received.forEach { close($0) }
            throw .invalid
        }
        return message
    }
}

/// The control part of a packet: `struct cmsghdr` and up to four descriptors, see unix(7).
private struct Control {
    /// Of the whole when given to the kernel: 16 bytes and the descriptors.
    var length: Int
    var level = SOL_SOCKET
    var type: Int32 = 1  // SCM_RIGHTS, an enumeration's case in Glibc.
    var descriptors: (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)

    private static let headerSize = 16

    init(_ numbers: [Int32]) {
        length = numbers.isEmpty ? 0 : Self.headerSize + numbers.count * MemoryLayout<Int32>.size
        withUnsafeMutableBytes(of: &descriptors) { bytes in
            numbers.withUnsafeBytes { bytes.copyMemory(from: $0.prefix(bytes.count).rebased) }
        }
    }

    /// The descriptors that came; nothing where none did.
    var received: [Int32] {
        guard level == SOL_SOCKET, type == 1, length > Self.headerSize else { return [] }
        let count = (length - Self.headerSize) / MemoryLayout<Int32>.size
        return [descriptors.0, descriptors.1, descriptors.2, descriptors.3].prefix(count).filter { $0 >= 0 }
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var rebased: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self) }
}

/// Runs `body` with the structure that sendmsg(2) and recvmsg(2) take.
private func withPacket(
    _ bytes: inout [UInt8], _ control: inout Control, _ body: (inout msghdr) throws(Errno) -> Void
) throws(Errno) {
    var failure: Errno?
    var length = control.length
    bytes.withUnsafeMutableBytes { buffer in
        withUnsafeMutableBytes(of: &control) { rights in
            var part = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
            withUnsafeMutablePointer(to: &part) { part in
                var packet = msghdr()
                packet.msg_iov = part
                packet.msg_iovlen = 1
                packet.msg_control = length > 0 ? rights.baseAddress : nil
                packet.msg_controllen = length
                do throws(Errno) { try body(&packet) } catch { failure = error }
                length = Int(packet.msg_controllen)
            }
        }
    }
    if length == 0 { control.length = 0 }
    if let failure { throw failure }
}
