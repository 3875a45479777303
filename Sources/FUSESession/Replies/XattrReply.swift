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
        if size == 0 {
            token.send(structure: fuse_getxattr_out(size: UInt32(clamping: value.count), padding: 0))
        } else if value.count > size {
            token.fail(.range)
        } else {
            token.send(value)
        }
    }

    /// ENODATA: there is no such attribute; ENOSYS: there are none in this file system, never ask again.
    public consuming func fail(_ error: Errno) { token.fail(error) }
}
