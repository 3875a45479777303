internal import CFUSE
internal import Support

/// The duty to answer one request: it is answered once, by whoever holds it, on any thread.
///
/// A token that is dropped answers EIO, so that no process can hang on a forgotten request. It keeps the libfuse
/// session alive: answering after the unmount is harmless.
struct RequestToken: ~Copyable, @unchecked Sendable {
    // A libfuse request may be answered from any thread; the one owner of the token is the only user of it.
    private var request: OpaquePointer?
    let core: SessionCore

    init(_ request: OpaquePointer, _ core: SessionCore) {
        self.request = request
        self.core = core
    }

    deinit {
        if let request { fuse_reply_err(request, Errno.io.rawValue) }
    }

    /// The request, which now has to be answered by the caller.
    private mutating func take() -> OpaquePointer? {
        let taken = request
        request = nil
        return taken
    }

    /// For registering an interrupt function; nil when it was answered.
    var pointer: OpaquePointer? { request }

    consuming func fail(_ error: Errno) { answer(error) }

    consuming func succeed() { answer(Errno(rawValue: 0)) }

    consuming func send(_ bytes: UnsafeRawBufferPointer) { answer(bytes) }

    /// Answers with a structure of the kernel's.
    consuming func send<Answer: BitwiseCopyable>(structure: Answer) {
        guard let request = take() else { return }
        _ = withUnsafeBytes(of: structure) { bytes in
            fuse_reply_buf(request, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }

    /// Answers with bytes; a second answer does nothing. No copy is made in this process.
    mutating func answer(_ bytes: UnsafeRawBufferPointer) {
        guard let request = take() else { return }
        fuse_reply_buf(request, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }

    /// Answers with an error, or success without content for 0; a second answer does nothing.
    mutating func answer(_ error: Errno) {
        if let request = take() { fuse_reply_err(request, error.rawValue) }
    }
}
