internal import Glibc
internal import Support

/// How a background process tells its parent that it is ready, or why not: one line, then the end of file.
struct ReadyPipe: Sendable {
    /// Of the writing end.
    let descriptor: Int32

    private static let ready = "ready"
    private static let usage = "usage "
    private static let failed = "failed "

    func succeed() { tell(Self.ready) }

    func fail(_ error: any Error) {
        let isUsage = (error as? FlistError)?.code == .usage
        tell((isUsage ? Self.usage : Self.failed) + "\(error)")
    }

    /// Whoever started us may be gone; the mount is there all the same, and `umount` ends it.
    private func tell(_ line: String) {
        let bytes = Array(line.utf8)
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    /// Waits for the word; nil if the other side ended without one.
    static func read(from reader: borrowing FileDescriptor) -> Result<Void, FlistError>? {
        var bytes: [UInt8] = []
        let number = reader.number
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            while let count = try? systemCall({ Glibc.read(number, buffer.baseAddress, buffer.count) }), count > 0 {
                bytes.append(contentsOf: buffer[..<count])
            }
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if line == ready { return .success(()) }
        if line.hasPrefix(usage) { return .failure(FlistError(.usage, String(line.dropFirst(usage.count)))) }
        if line.hasPrefix(failed) { return .failure(FlistError(.io, String(line.dropFirst(failed.count)))) }
        return nil
    }
}
