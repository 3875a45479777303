internal import BlockCodec
internal import BlockStore
internal import FlistContent
internal import FlistImage
public import Support

/// An earlier flist that packing takes blocks from: those of files that look unchanged, which are then not even opened,
/// and those that turn up elsewhere, which are then not compressed and stored again. Thread-safe.
///
/// A file looks unchanged when it has the path, type, size and time of its last change that it has in the flist. Its
/// owner, permissions, extended attributes and further names are always those of today.
public struct PackBase: Sendable {
    /// Which time tells whether a file has changed.
    public enum Time: Sendable {
        /// That of its content, as rsync(1) has it. It can be set at will.
        case modification
        /// That of its inode too, which only the kernel sets: a copy of a tree counts as changed.
        case statusChange
    }

    /// The rfs format keeps whole seconds: a second change within the same one does not show. What was last changed so
    /// long before the flist was written had been left alone for longer than a second when it was packed, unless packing
    /// took longer than that.
    static let margin: Int64 = 3600

    private let name: String
    private let index: TreeIndex
    private let time: Time
    /// Files last changed from then on may have been changed again after they were packed.
    private let limit: Timestamp?

    /// Opens a flist.
    /// - Parameter argument: A path or an http(s) URL.
    public init(_ argument: String, time: Time = .modification) throws(FlistError) {
        name = FlistLocation.shown(argument)
        self.time = time
        // Before it is read: what takes its place later is younger.
        let written = FlistLocation.isURL(argument) ? nil : try? FileStatus.of(path: argument).mtime
        index = try FlistLocation.open(argument, indexFolder: nil)
        let isExact = index.summary.kind == .zstd
        if let written {
            limit = isExact ? written : Timestamp(seconds: max(written.seconds, .min + Self.margin) - Self.margin)
        } else {
            // Nobody knows when it was written; with whole seconds that matters.
            limit = isExact ? nil : Timestamp(seconds: .min)
        }
    }

    /// The number of its root.
    var root: InodeNumber { TreeIndex.root }

    /// Refuses a flist whose blocks are not those that would be made.
    func check(for options: PackOptions) throws(FlistError) {
        let summary = index.summary
        guard summary.kind == options.kind else {
            let wanted = options.kind == .zstd ? "zstd" : "snappy"
            throw FlistError(
                .usage, "\(name) cannot be the base: it is a \(summary.kind), and blocks are to be made with \(wanted)")
        }
        guard summary.blockSize == options.blockSize else {
            throw FlistError(
                .usage,
                "\(name) cannot be the base: it has blocks of \(summary.blockSize) bytes, not of \(options.blockSize)")
        }
    }

    /// The number of the directory of that name; nil when there is none.
    func directory(_ name: [UInt8], in parent: InodeNumber) -> InodeNumber? {
        guard let number = index.lookup(name, in: parent), index.type(of: number) == .directory else { return nil }
        return number
    }

    /// The blocks of a file, as positions in the table; nil when it has to be read.
    func blocks(
        _ name: [UInt8], in directory: InodeNumber, _ status: FileStatus, known table: BlockTable
    ) -> [UInt32]? {
        if let limit, status.mtime >= limit { return nil }
        guard let number = index.lookup(name, in: directory), let old = index.attributes(of: number),
            old.type == .regular, old.size == status.size, isSame(old.mtime, status.mtime),
            time == .modification || isSame(old.ctime, status.ctime),
            let blocks = index.blocks(of: old.number)
        else { return nil }
        var positions: [UInt32] = []
        positions.reserveCapacity(blocks.count)
        for index in 0..<blocks.count {
            guard let reference = blocks[index] else {
                positions.append(PackFile.hole)
                continue
            }
            guard let position = table.position(of: reference.key) else { return nil }
            positions.append(position)
        }
        return positions
    }

    /// Every different block, in the order of the flist.
    func distinctBlocks() -> [BlockReference] {
        var seen: Set<Digest> = []
        var blocks: [BlockReference] = []
        guard index.lastNumber >= 1 else { return [] }
        for number in 1...index.lastNumber where index.inodeNumber(of: number) == number {
            guard let list = index.blocks(of: number) else { continue }
            for position in 0..<list.count {
                if let block = list[position], seen.insert(block.key).inserted { blocks.append(block) }
            }
        }
        return blocks
    }

    private func isSame(_ old: Timestamp, _ new: Timestamp) -> Bool {
        old.seconds == new.seconds && (index.summary.kind != .zstd || old.nanoseconds == new.nanoseconds)
    }
}

extension BlockTable {
    /// Blocks that stores are asked for at once: bounds what waits for one answer.
    private static let batch = 8192

    /// Takes up the blocks of the base that are in all stores where they belong; the others have to be made again.
    func add(_ base: PackBase?, in router: BlockRouter) throws(FlistError) {
        guard let base else { return }
        let blocks = base.distinctBlocks()
        for start in stride(from: 0, to: blocks.count, by: Self.batch) {
            let batch = blocks[start..<min(blocks.count, start + Self.batch)]
            for (block, isThere) in zip(batch, try router.contains(batch.map(\.id))) where isThere {
                guard let (position, _) = claim(block.key, plainLength: block.plainLength) else { throw Self.full }
                stored(position, id: block.id)
            }
        }
    }
}
