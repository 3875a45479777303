internal import FlistImage
internal import Support
internal import Synchronization

/// Writes a tree into a flist, in the order of names: equal trees give equal flists.
struct PackEmitter {
    private let tree: PackTree
    private let blocks: [BlockTable.Block]
    private let writer: FlistWriter
    /// Which blocks have been counted.
    private var isCounted: [Bool]
    /// The flist's numbers of the inodes that are written.
    private var numbers: [UInt64]
    private var next: UInt64 = 1
    private var summary = PackSummary()

    init(_ tree: PackTree, _ blocks: [BlockTable.Block], to writer: FlistWriter) {
        self.tree = tree
        self.blocks = blocks
        self.writer = writer
        isCounted = Array(repeating: false, count: blocks.count)
        numbers = Array(repeating: 0, count: tree.inodes.count)
    }

    mutating func write() throws(FlistError) -> PackSummary {
        let children = tree.children()
        // Directories whose children are to be written: the last name's on top.
        var pending: [(node: Int, parent: UInt64)] = [(PackTree.root, 1)]
        while let (node, parent) = pending.popLast() {
            guard let number = try write(node, parent: parent) else { continue }
            for child in children[node].reversed() { pending.append((child, number)) }
        }
        return summary
    }

    /// The inode's number; nil when it is left out.
    private mutating func write(_ node: Int, parent: UInt64) throws(FlistError) -> UInt64? {
        let (name, index) = (tree.nodes[node].name, tree.nodes[node].inode)
        if numbers[index] > 0 {
            try writer.addName(parent: parent, name: name, of: numbers[index])
            summary.entries += 1
            summary.hardLinks += 1
            return numbers[index]
        }
        let inode = tree.inodes[index]
        var status = inode.status
        var xattrs = inode.xattrs
        var content: PackFile.State?
        if let file = inode.file {
            let state = file.state.withLock { $0 }
            if state.isLost { return nil }
            status = state.attributes
            xattrs = state.xattrs
            content = state
        }
        let number = next
        next += 1
        numbers[index] = number
        var entry = TreeEntry(
            id: number, parent: parent, name: name, type: status.type, permissions: status.permissions)
        entry.uid = status.uid
        entry.gid = status.gid
        entry.mtime = status.mtime
        entry.ctime = status.ctime
        entry.major = status.major
        entry.minor = status.minor
        entry.linkTarget = inode.linkTarget
        entry.size = content?.size ?? (status.type == .directory ? status.size : 0)
        try writer.add(entry)
        summary.entries += 1
        for xattr in xattrs { try writer.addXattr(to: number, name: xattr.name, value: xattr.value) }
        if status.type == .regular { summary.files += 1 }
        if let content { try write(content, of: number) }
        return number
    }

    private mutating func write(_ content: PackFile.State, of number: UInt64) throws(FlistError) {
        summary.bytes += content.size
        if content.isFromBase {
            summary.baseFiles += 1
            summary.baseBytes += content.size
        }
        for position in content.blocks {
            if position == PackFile.hole {
                try writer.addHole(to: number)
                summary.holes += 1
                continue
            }
            guard Int(position) < blocks.count, let id = blocks[Int(position)].id else {
                throw FlistError(.io, "a block of entry \(number) was not encoded")
            }
            let block = blocks[Int(position)]
            try writer.addBlock(to: number, blockID: id, key: block.key)
            summary.blocks += 1
            if !isCounted[Int(position)] {
                isCounted[Int(position)] = true
                summary.distinctBlocks += 1
                summary.distinctBytes += UInt64(block.plainLength)
                if let length = block.storedLength {
                    summary.newBytes += UInt64(block.plainLength)
                    summary.storedBytes += UInt64(length)
                }
            }
        }
    }
}
