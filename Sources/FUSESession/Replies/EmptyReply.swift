public import Support

/// The answer to a request that only succeeds or fails. Dropped, it answers EIO; any thread may answer.
public struct EmptyReply: ~Copyable, Sendable {
    let token: RequestToken

    public consuming func succeed() { token.succeed() }

    public consuming func fail(_ error: Errno) { token.fail(error) }
}
