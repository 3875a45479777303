public import Support

/// The answer to a read or a readlink. Dropped, it answers EIO; any thread may answer.
public struct DataReply: ~Copyable, @unchecked Sendable {
    // `scratch` belongs to the worker and is not touched once the token has moved to another thread (documented).
    let token: RequestToken

    /// Page-aligned memory of the worker, at least as large as any read; valid only during the file system's method.
    public let scratch: UnsafeMutableRawBufferPointer

    init(token: consuming RequestToken, scratch: UnsafeMutableRawBufferPointer) {
        self.token = token
        self.scratch = scratch
    }

    /// Answers with bytes, fewer than asked for at the end of the file only. Neither copies nor allocates.
    public consuming func send(_ bytes: UnsafeRawBufferPointer) { token.send(bytes) }

    /// Answers with the bytes of an array, for callers that cannot consume the reply within a closure.
    public consuming func send(_ bytes: [UInt8]) {
        var token = token
        bytes.withUnsafeBytes { token.answer($0) }
    }

    /// Answers with the first `count` bytes of `scratch`.
    public consuming func sendScratch(_ count: Int) {
        let bytes = UnsafeRawBufferPointer(scratch.prefix(Swift.max(0, count)).rebased)
        token.send(bytes)
    }

    public consuming func fail(_ error: Errno) { token.fail(error) }
}

extension Slice<UnsafeMutableRawBufferPointer> {
    var rebased: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: self) }
}
