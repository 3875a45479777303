internal import CFUSE
public import Support

/// The answer to open and opendir. Dropped, it answers EIO; any thread may answer.
///
/// ENOSYS to the first open (or opendir) tells the kernel never to ask again: every open succeeds at once, with
/// handle 0, and keeps what is cached.
public struct OpenReply: ~Copyable, Sendable {
    /// FOPEN_CACHE_DIR for directories, 0 for files.
    let always: UInt32
    let token: RequestToken

    /// The file is open. `keepCache`: pages of an earlier open stay valid; `directIO`: the page cache is not used.
    public consuming func succeed(handle: UInt64, keepCache: Bool = true, directIO: Bool = false) {
        var answer = fuse_open_out()
        answer.fh = handle
        answer.open_flags = always
        if keepCache { answer.open_flags |= UInt32(FOPEN_KEEP_CACHE) }
        if directIO { answer.open_flags |= UInt32(FOPEN_DIRECT_IO) }
        token.send(structure: answer)
    }

    public consuming func fail(_ error: Errno) { token.fail(error) }
}
