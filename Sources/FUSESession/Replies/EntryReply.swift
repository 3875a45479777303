internal import CFUSE
public import Support

/// The answer to a lookup. Dropped, it answers EIO; any thread may answer.
public struct EntryReply: ~Copyable, Sendable {
    let token: RequestToken

    /// The name exists; the kernel keeps both the name and the attributes for ever.
    public consuming func found(node: NodeID, attributes: FileAttributes) {
        token.send(structure: fuse_entry_out(node: node, attributes: attributes))
    }

    /// The name does not exist, and the kernel need not ask for it again.
    public consuming func negative() {
        var answer = fuse_entry_out()
        answer.entry_valid = forever
        token.send(structure: answer)
    }

    /// Answers with an error, which the kernel does not keep.
    public consuming func fail(_ error: Errno) { token.fail(error) }
}
