internal import BlockCodec
public import Support

/// Collects what a flist holds, checks all of it, and writes a `TreeIndex`.
///
/// Entries, names, blocks and xattrs may come in any order and before the entries they belong to; only the blocks of
/// one file must come one after another, in file order. Nothing of the input is trusted: each fault is an `invalid`
/// error of one line that names the entry (by path, or by the source's id while the path is not known) and the reason.
/// After an error the builder is of no further use. Not thread-safe.
public struct TreeIndexBuilder {
    /// Bounds that keep every number of the index within its field. Smaller ones serve tests.
    struct Limits {
        var entries = 1 << 31 - 1
        var depth = TreeIndex.maximumDepth
        /// 2^40 blocks are 64 TiB of references: none of the sums over them overflow.
        var blocks = 1 << 40
        var xattrs = 1 << 28
        /// Of memory for all of it.
        var bytes = Int.max
    }

    let info: TreeIndexInfo
    var limits = Limits()
    var nodes: [Node] = []
    var names: [UInt8] = []
    var targets: [UInt8] = []
    var blockRuns: [BlockRun] = []
    var blockBytes: [UInt8] = []
    var blockCount = 0
    var xattrs = XattrTable()

    /// A name: of an entry, or a further name of a hard link.
    struct Node {
        /// Of the source; for further names that of the inode.
        var id: UInt64
        var parent: UInt64
        var nameOffset: Int
        var nameLength: UInt8
        var isFurtherName: Bool
        var type: FileType
        var permissions: UInt16 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        var size: UInt64 = 0
        var mtime = Timestamp(seconds: 0)
        var ctime = Timestamp(seconds: 0)
        /// Devices: minor, and major in the upper 32 bits. Symlinks: the target's offset.
        var content: UInt64 = 0
    }

    /// The blocks of one file.
    struct BlockRun {
        var id: UInt64
        var first: Int
        var count = 0
        var holes = 0
        var endsWithHole = false
    }

    public init(info: TreeIndexInfo) {
        self.info = info
    }

    /// Adds an inode under its first name.
    public mutating func add(_ entry: TreeEntry) throws(FlistError) {
        let isRoot = entry.id == entry.parent
        try check(entry, isRoot: isRoot)
        var node = Node(
            id: entry.id, parent: entry.parent, nameOffset: names.count,
            nameLength: UInt8(truncatingIfNeeded: entry.name.count), isFurtherName: false, type: entry.type)
        node.permissions = entry.permissions
        node.uid = entry.uid
        node.gid = entry.gid
        node.mtime = entry.mtime
        node.ctime = entry.ctime
        switch entry.type {
        case .regular: node.size = entry.size
        case .directory: node.size = entry.size == 0 ? 4096 : entry.size
        case .symlink:
            node.size = UInt64(entry.linkTarget.count)
            node.content = UInt64(targets.count)
            targets.append(contentsOf: entry.linkTarget)
        case .characterDevice, .blockDevice: node.content = UInt64(entry.major) << 32 | UInt64(entry.minor)
        case .fifo, .socket: break
        }
        names.append(contentsOf: entry.name)
        try append(node)
    }

    /// Adds a further name of a hard link, in the directory `parent`, for the inode `id` (no directory).
    public mutating func addName(parent: UInt64, name: [UInt8], of id: UInt64) throws(FlistError) {
        if let reason = Self.fault(inName: name) { throw fault(id, name, reason) }
        // The type is filled in when all entries are known.
        let node = Node(
            id: id, parent: parent, nameOffset: names.count, nameLength: UInt8(truncatingIfNeeded: name.count),
            isFurtherName: true, type: .regular)
        names.append(contentsOf: name)
        try append(node)
    }

    private mutating func append(_ node: Node) throws(FlistError) {
        guard nodes.count < limits.entries else {
            throw FlistError(.invalid, "the flist has more than \(limits.entries) entries")
        }
        nodes.append(node)
        try checkBytes()
    }

    /// Called for all that is added: values that are added alone may each be large.
    private func checkBytes() throws(FlistError) {
        let bytes = names.count + targets.count + blockBytes.count + xattrs.bytes.count
        let rows = nodes.count * MemoryLayout<Node>.stride + blockRuns.count * MemoryLayout<BlockRun>.stride
        guard bytes + rows <= limits.bytes else {
            throw FlistError(.invalid, "what the flist holds takes more memory than a sound one of its size")
        }
    }

    /// Adds the next block of a file; `nil` for both is a hole, which only the zstd kind has.
    public mutating func addBlock(to id: UInt64, blockID: Digest?, key: Digest?) throws(FlistError) {
        guard blockCount < limits.blocks else {
            throw FlistError(.invalid, "the flist has more than \(limits.blocks) blocks")
        }
        if blockRuns.last?.id != id { blockRuns.append(BlockRun(id: id, first: blockCount)) }
        let run = blockRuns.count - 1
        if let blockID, let key {
            if let reason = fault(inBlock: blockID, key) {
                throw FlistError(.invalid, "entry \(id), block \(blockRuns[run].count): \(reason)")
            }
            blockID.withBytes { blockBytes.append(contentsOf: $0) }
            key.withBytes { blockBytes.append(contentsOf: $0) }
        } else {
            if let reason = faultInHole(hasID: blockID != nil, hasKey: key != nil) {
                throw FlistError(.invalid, "entry \(id), block \(blockRuns[run].count): \(reason)")
            }
            blockBytes.append(contentsOf: repeatElement(0, count: info.codec.referenceLength))
            blockRuns[run].holes += 1
        }
        blockRuns[run].endsWithHole = blockID == nil
        blockRuns[run].count += 1
        blockCount += 1
        try checkBytes()
    }

    /// Adds an extended attribute to an inode.
    public mutating func addXattr(to id: UInt64, name: [UInt8], value: [UInt8]) throws(FlistError) {
        guard xattrs.pairs.count < limits.xattrs else {
            throw FlistError(.invalid, "the flist has more than \(limits.xattrs) xattrs")
        }
        if let reason = XattrTable.fault(name: name, value: value) {
            throw FlistError(.invalid, "entry \(id), xattr \"\(EscapedBytes.render(name))\": \(reason)")
        }
        xattrs.add(to: id, name: name, value: value)
        try checkBytes()
    }
}
