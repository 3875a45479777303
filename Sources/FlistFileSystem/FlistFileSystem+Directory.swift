public import FUSESession
internal import FlistImage
internal import Support

extension FlistFileSystem {
    /// Entries are ".", "..", then the children by name; an entry's offset is the position of the one behind it.
    public func readDirectory(
        _ node: NodeID, offset: UInt64, size: Int, plus: Bool, _ reply: consuming DirectoryReply
    ) {
        guard let directory = inode(node), let children = index.children(of: directory) else {
            reply.fail(.notDirectory)
            return
        }
        var position = offset
        if position == 0 {
            guard append(directory, dots: 1, next: 1, to: &reply) else { return reply.send() }
            position = 1
        }
        if position == 1 {
            guard append(index.parent(of: directory), dots: 2, next: 2, to: &reply) else { return reply.send() }
            position = 2
        }
        let total = UInt64(children.count) + 2
        while position < total {
            let record = children.lowerBound + InodeNumber(position - 2)
            guard let attributes = index.attributes(of: record) else { break }
            let added = index.withName(of: record) { name in
                reply.append(
                    name: name, node: NodeID(attributes.number), attributes: FileAttributes(attributes),
                    nextOffset: position + 1)
            }
            guard added == true else { break }
            position += 1
        }
        reply.send()
    }

    private func append(
        _ inode: InodeNumber, dots: Int, next: UInt64, to reply: inout DirectoryReply
    ) -> Bool {
        guard let attributes = index.attributes(of: inode) else { return false }
        var name: (UInt8, UInt8) = (UInt8(ascii: "."), UInt8(ascii: "."))
        return withUnsafeBytes(of: &name) { bytes in
            reply.append(
                name: UnsafeRawBufferPointer(rebasing: bytes[..<dots]), node: NodeID(attributes.number),
                attributes: FileAttributes(attributes), nextOffset: next)
        }
    }
}
