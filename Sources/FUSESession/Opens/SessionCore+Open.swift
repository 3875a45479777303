internal import CFUSE
internal import Support

extension SessionCore {
    /// Answers an open of a passthrough session: with the node's file where it is complete, else by messages.
    func open(_ node: NodeID, _ files: BackingFiles, _ token: consuming RequestToken) {
        let grant = opens.join(node) ?? firstOpen(node, files)
        var answer = fuse_open_out()
        answer.fh = grant.handle
        if let id = grant.backing {
            // With KEEP_CACHE it would be refused. Without, pages of an open by messages go: nobody needs them now.
            answer.open_flags = BackingFiles.openFlag
            answer.padding = UInt32(bitPattern: id)
        } else {
            answer.open_flags = UInt32(FOPEN_KEEP_CACHE)
        }
        // Nobody took the answer: the opener was interrupted, and there will be no release.
        if !token.deliver(structure: answer) { release(grant.handle, files) }
    }

    /// The file and its id are got without the table's lock; another may be faster in the meantime.
    private func firstOpen(_ node: NodeID, _ files: BackingFiles) -> OpenTable.Grant {
        var id: Int32?
        if let file = fileSystem.backingFile(of: node) { id = files.open(file) }
        let grant = opens.enter(node, backing: id)
        if let id, id != grant.backing { files.close(id) }
        return grant
    }

    /// Counts an open out, and gives the file back with the last one.
    func release(_ handle: UInt64, _ files: BackingFiles) {
        if let id = opens.leave(handle) { files.close(id) }
    }
}
