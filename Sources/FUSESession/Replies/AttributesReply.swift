internal import CFUSE
public import Support

/// The answer to a request for attributes. Dropped, it answers EIO; any thread may answer.
public struct AttributesReply: ~Copyable, Sendable {
    /// The node, if the kernel asked in the form of a lookup of ".".
    let entry: NodeID?
    let token: RequestToken

    /// Answers with attributes that the kernel keeps for ever.
    public consuming func succeed(_ attributes: FileAttributes) {
        if let entry { return token.send(structure: fuse_entry_out(node: entry, attributes: attributes)) }
        var answer = fuse_attr_out()
        answer.attr_valid = forever
        answer.attr = attributes.kernelAttributes
        token.send(structure: answer)
    }

    public consuming func fail(_ error: Errno) { token.fail(error) }
}
