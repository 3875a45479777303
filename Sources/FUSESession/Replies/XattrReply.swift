internal import CFUSE
public import Support

/// The answer to getxattr and listxattr. Dropped, it answers EIO; any thread may answer.
public struct XattrReply: ~Copyable, Sendable {
    /// What the caller has room for; 0 when it asks for the size only.
    public let size: Int
    let token: RequestToken

    init(size: Int, token: consuming RequestToken) {
        self.size = size
        self.token = token
    }

    /// Answers with the value, its size if only that was asked for, or ERANGE if the caller's room is too small.
    ///
    /// For listxattr the value is the names, each ended by a zero byte.
    public consuming func succeed(_ value: UnsafeRawBufferPointer) {
        var token = token
        XattrReply.answer(&token, value, size)
    }

    /// The same for an array, for callers that cannot consume the reply within a closure.
    public consuming func succeed(_ value: [UInt8]) {
        let size = size
        var token = token
        value.withUnsafeBytes { XattrReply.answer(&token, $0, size) }
    }

    private static func answer(_ token: inout RequestToken, _ value: UnsafeRawBufferPointer, _ size: Int) {
        if size == 0 {
            let count = fuse_getxattr_out(size: UInt32(clamping: value.count), padding: 0)
            withUnsafeBytes(of: count) { token.answer($0) }
        } else if value.count > size {
            token.answer(.range)
        } else {
            token.answer(value)
        }
    }

    /// ENODATA: there is no such attribute; ENOSYS: there are none in this file system, never ask again.
    public consuming func fail(_ error: Errno) { token.fail(error) }
}
