internal import BlockCodec
internal import FlistImage
internal import Support
internal import Synchronization

/// Reads a tar file from one end to the other into a tree, and hands its contents to the workers block by block.
///
/// Later members take the place of earlier ones of the same name. Members that would lie outside the tree, or behind
/// a symlink or a file, are refused one by one.
struct TarScanner {
    private struct Place: Hashable {
        let parent: Int
        let name: [UInt8]
    }

    private let reader: TarReader
    private let shared: PackShared
    private let excludes: [ExcludePattern]
    private var tree: PackTree
    private var places: [Place: Int] = [:]
    private var hasRoot = false

    init(_ options: PackOptions, _ shared: PackShared) throws(FlistError) {
        reader = try TarReader(options.source)
        self.shared = shared
        excludes = options.excludes
        tree = PackTree(root: FileStatus(type: .directory, permissions: 0o755, mtime: Timestamp(seconds: 0)))
        shared.journal.found()
    }

    /// Nil when packing has been given up.
    mutating func scan() throws(FlistError) -> PackTree? {
        var isFirst = true
        while let entry = try reader.next() {
            if isFirst, !hasRoot {
                // What the archive does not say of the root, as of all directories that are only implied.
                tree.update(inode: 0) {
                    $0.status.mtime = entry.mtime; $0.status.ctime = entry.mtime
                }
            }
            isFirst = false
            guard try add(entry) else { return nil }
        }
        return tree
    }

    /// False when packing has been given up.
    private mutating func add(_ entry: TarEntry) throws(FlistError) -> Bool {
        let parts = entry.path.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }.map(
            Array.init)
        for loss in entry.losses { shared.journal.warn(entry.path, "\(loss) is left out") }
        guard !parts.contains(where: { $0.elementsEqual("..".utf8) }) else {
            shared.journal.failed(entry.path, "leads out of the archive")
            return true
        }
        guard let name = parts.last else {
            if entry.type == .directory { setRoot(entry) }
            return true
        }
        let path = Array(parts.joined(separator: [UInt8(ascii: "/")]))
        if isExcluded(parts, isDirectory: entry.type == .directory) {
            shared.journal.excluded()
            return true
        }
        guard let parent = directory(parts.dropLast(), mtime: entry.mtime) else {
            shared.journal.failed(path, "lies behind what is no directory in the archive")
            return true
        }
        let place = Place(parent: parent, name: name)
        if let target = entry.hardLinkTarget {
            link(place, to: target, path: path)
            return true
        }
        guard let type = entry.type else { return true }
        var inode = PackTree.Inode(status: FileStatus(entry, type: type))
        inode.linkTarget = entry.linkTarget
        inode.xattrs = entry.xattrs.sorted { $0.name.lexicographicallyPrecedes($1.name) }
        if type == .directory, let node = places[place], isDirectory(node) {
            tree.update(inode: tree.nodes[node].inode) { $0 = inode }
            return true
        }
        if type == .regular, entry.size > 0 {
            let file = PackFile(path, inode.status)
            let xattrs = inode.xattrs
            file.state.withLock { $0.xattrs = xattrs }
            inode.file = file
            guard try read(entry, into: file) else { return false }
        }
        put(place, tree.add(inode, named: name, in: parent))
        return true
    }

    private mutating func setRoot(_ entry: TarEntry) {
        hasRoot = true
        tree.update(inode: 0) { inode in
            inode.status = FileStatus(entry, type: .directory)
            inode.xattrs = entry.xattrs.sorted { $0.name.lexicographicallyPrecedes($1.name) }
        }
    }

    private mutating func link(_ place: Place, to target: [UInt8], path: [UInt8]) {
        let parts = target.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
        var node = PackTree.root
        for part in parts {
            guard let next = places[Place(parent: node, name: Array(part))] else {
                let name = PathText.escaped(target)
                return shared.journal.failed(path, "is a hard link to \(name), which is not in the archive before it")
            }
            node = next
        }
        guard !isDirectory(node) else { return shared.journal.failed(path, "is a hard link to a directory") }
        // Onto itself: nothing to do.
        if places[place] == node { return }
        put(place, tree.addName(place.name, in: place.parent, of: tree.nodes[node].inode))
    }

    /// Gives a place its node; what was there goes, with all below it.
    private mutating func put(_ place: Place, _ node: Int) {
        if let old = places[place] { tree.replace(old) } else { shared.journal.found() }
        places[place] = node
    }

    /// The node of a directory, which is made if it is missing; nil when something else is in the way.
    private mutating func directory(_ parts: some Sequence<[UInt8]>, mtime: Timestamp) -> Int? {
        var node = PackTree.root
        for part in parts {
            let place = Place(parent: node, name: part)
            if let next = places[place] {
                guard isDirectory(next) else { return nil }
                node = next
            } else {
                let status = FileStatus(type: .directory, permissions: 0o755, mtime: mtime)
                node = tree.add(PackTree.Inode(status: status), named: part, in: node)
                put(place, node)
            }
        }
        return node
    }

    private func isDirectory(_ node: Int) -> Bool {
        tree.inodes[tree.nodes[node].inode].status.type == .directory
    }

    /// By the path or by that of a directory above.
    private func isExcluded(_ parts: [[UInt8]], isDirectory: Bool) -> Bool {
        guard !excludes.isEmpty else { return false }
        return (1...parts.count).contains { count in
            let path = Array(parts.prefix(count).joined(separator: [UInt8(ascii: "/")]))
            return excludes.contains { $0.matches(path: path, isDirectory: isDirectory || count < parts.count) }
        }
    }

    /// Reads a member's content; false when packing has been given up.
    private func read(_ entry: TarEntry, into file: PackFile) throws(FlistError) -> Bool {
        let blockSize = UInt64(shared.blockSize)
        guard let blocks = shared.blockCount(entry.size) else {
            throw FlistError(
                .invalid,
                "\(shared.journal.shown(entry.path)): \(ByteCount(entry.size)) are too many for blocks of "
                    + "\(ByteCount(blockSize)); use a larger --block-size")
        }
        file.state.withLock { state in
            state.size = entry.size
            state.blocks = [UInt32](repeating: PackFile.hole, count: blocks)
        }
        for index in 0..<blocks {
            let offset = UInt64(index) * blockSize
            let length = Int(min(blockSize, entry.size - offset))
            let buffer = BlockBufferPool.shared.buffer(capacity: length)
            let count = try reader.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<length]))
            guard count == length else {
                throw FlistError(.invalid, "\(shared.journal.shown(entry.path)): the archive ends in the middle of it")
            }
            if shared.keepsHoles, let regions = entry.dataRegions,
                !regions.contains(where: { $0.overlaps(offset..<offset + UInt64(length)) })
            {
                shared.count(length)
                continue
            }
            buffer.count = length
            guard shared.queue.add(file, index, buffer) else { return false }
        }
        return true
    }
}

extension FileStatus {
    fileprivate init(_ entry: TarEntry, type: FileType) {
        self.init(
            type: type, permissions: entry.permissions, uid: entry.uid, gid: entry.gid, size: entry.size,
            mtime: entry.mtime)
        major = entry.major
        minor = entry.minor
    }
}
