internal import FlistImage

/// Goes through the regular files of a tree in the order that find(1), tar(1) and cp -r read them: entry after entry,
/// into each directory as it is met.
struct TreeWalk {
    /// A file with bytes, and the sum of its blocks' plain lengths.
    struct File: Equatable {
        let inode: InodeNumber
        let size: UInt64
    }

    /// Whether the walk enters and leaves directories; otherwise it passes over and ends with them.
    var crossesDirectories: Bool
    private let index: TreeIndex
    private var directory: InodeNumber
    /// The record to look at next.
    private var position: InodeNumber

    /// Begins after an entry.
    init(_ index: TreeIndex, after record: InodeNumber, crossesDirectories: Bool) {
        self.index = index
        self.crossesDirectories = crossesDirectories
        directory = index.parent(of: record)
        position = record + 1
    }

    /// The next file that has blocks; nil at the walk's end, or after `steps` entries without one.
    mutating func next(steps: Int = 64) -> File? {
        for _ in 0..<steps {
            guard let siblings = index.children(of: directory) else { return nil }
            if position < siblings.upperBound, position >= siblings.lowerBound {
                let record = position
                position += 1
                if let children = index.children(of: record) {
                    guard crossesDirectories else { continue }
                    directory = record
                    position = children.lowerBound
                } else if let inode = index.inodeNumber(of: record), let blocks = index.blocks(of: inode),
                    blocks.size > 0
                {
                    return File(inode: inode, size: blocks.size)
                }
            } else {
                guard crossesDirectories, directory != TreeIndex.root else { return nil }
                position = directory + 1
                directory = index.parent(of: directory)
            }
        }
        return nil
    }
}
