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
        } else if inode == TreeIndex.root, let fact = facts.value(of: name, opens: opens) {
            // Not listed, so that a copy of the tree does not take the facts of this mount along.
            reply.succeed(fact)
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
        reply.succeed(names)
    }
}
