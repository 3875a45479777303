internal import CFUSE
public import Support

/// The answer to a request for attributes. Dropped, it answers EIO; any thread may answer.
public struct AttributesReply: ~Copyable, Sendable {
    let token: RequestToken

    /// Answers with attributes that the kernel keeps for ever.
    public consuming func succeed(_ attributes: FileAttributes) {
        var answer = fuse_attr_out()
        answer.attr_valid = forever
        answer.attr = attributes.kernelAttributes
        token.send(structure: answer)
    }

    public consuming func fail(_ error: Errno) { token.fail(error) }
}
