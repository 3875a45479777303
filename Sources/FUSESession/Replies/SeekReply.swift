internal import CFUSE
public import Support

/// The answer to a search for data or a hole. Dropped, it answers EIO; any thread may answer.
public struct SeekReply: ~Copyable, Sendable {
    let token: RequestToken

    /// Answers with the offset that was found.
    public consuming func succeed(offset: UInt64) { token.send(structure: fuse_lseek_out(offset: offset)) }

    /// ENXIO: there is no data, or the offset is past the end.
    public consuming func fail(_ error: Errno) { token.fail(error) }
}
