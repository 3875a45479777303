public import FUSESession
internal import FlistImage
internal import Support

extension FlistFileSystem {
    public func getXattr(
        _ node: NodeID, name: UnsafeRawBufferPointer, size: Int, _ reply: consuming XattrReply
    ) {
        guard let inode = inode(node) else {
            reply.fail(.noData)
            return
        }
        if let value = index.xattr(name, of: inode) {
            reply.succeed(value)
        } else if inode == TreeIndex.root, let fact = facts.value(of: name) {
            // Not listed, so that a copy of the tree does not take the facts of this mount along.
            reply.succeed(copying: fact)
        } else {
            reply.fail(.noData)
        }
    }

    public func listXattr(_ node: NodeID, size: Int, _ reply: consuming XattrReply) {
        guard let inode = inode(node) else {
            reply.fail(.noData)
            return
        }
        var names: [UInt8] = []
        for (name, _) in index.xattrs(of: inode) {
            names.append(contentsOf: name)
            names.append(0)
        }
        reply.succeed(copying: names)
    }
}

extension XattrReply {
    /// Answers with bytes that an array holds.
    fileprivate consuming func succeed(copying bytes: [UInt8]) {
        // A closure cannot consume what it captures, but it can take it out of an optional.
        var reply = Optional(self)
        bytes.withUnsafeBytes { reply.take()?.succeed($0) }
    }
}
