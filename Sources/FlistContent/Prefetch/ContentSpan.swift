public import FlistImage

/// Consecutive blocks of one file.
public struct ContentSpan: Sendable, Hashable {
    public var inode: InodeNumber
    public var blocks: Range<Int>

    public init(inode: InodeNumber, blocks: Range<Int>) {
        self.inode = inode
        self.blocks = blocks
    }
}
