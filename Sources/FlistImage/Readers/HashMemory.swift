internal import Glibc
internal import Support

/// Remembers the hashes of flists by their files' identity, so that a large one is not hashed at every mount.
///
/// A memory is a file in the index folder, `<identity>.seen`, with the hash in digits. It is believed because the time of
/// an inode's last change moves with every write and cannot be set; it is not made while that time is so fresh that a
/// further write could leave it the same.
enum HashMemory {
    /// Kernel time stamps move in steps of up to 10 ms, those of network file systems in seconds.
    private static let settling: Int64 = 3

    /// The hash of a file that has been hashed before and not been touched since.
    static func recall(_ identity: FileIdentity, in folder: String) -> Digest? {
        guard let file = try? FileDescriptor(path(identity, folder), O_RDONLY) else { return nil }
        var digits = [UInt8](repeating: 0, count: 65)
        let count = digits.withUnsafeMutableBytes { try? file.read(into: $0, at: 0) }
        guard count == 64 else { return nil }
        return Digest(hex: String(decoding: digits[..<64], as: UTF8.self))
    }

    /// Notes a hash. Does nothing where it cannot: the hash can be computed again.
    static func note(_ hash: Digest, of identity: FileIdentity, in folder: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        guard Int64(now.tv_sec) - settling > max(identity.changed.seconds, identity.modified.seconds) else { return }
        let final = path(identity, folder)
        let temporary = "\(final).tmp-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        guard let file = try? FileDescriptor(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600) else { return }
        let digits = Array(hash.description.utf8)
        let isWritten = digits.withUnsafeBytes { (try? file.write($0, at: 0)) != nil }
        if !isWritten || rename(temporary, final) != 0 { unlink(temporary) }
    }

    private static func path(_ identity: FileIdentity, _ folder: String) -> String {
        let text =
            "\(identity.device) \(identity.inode) \(identity.size) \(identity.modified.seconds) "
            + "\(identity.modified.nanoseconds) \(identity.changed.seconds) \(identity.changed.nanoseconds)"
        return "\(folder)/\(BLAKE2b.hash(Array(text.utf8), .bytes16)).seen"
    }
}
