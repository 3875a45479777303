public import BlockCodec
public import Support

/// Counts and sizes of a whole tree, known without walking it.
public struct TreeSummary: Sendable, Hashable {
    /// Files from this size on count as large: 16 MiB.
    public static let largeFileSize: UInt64 = 16 << 20

    /// The hash of the flist's own bytes.
    public var flistHash: Digest
    public var kind: FlistKind
    public var codec: BlockCodec
    /// Plain bytes in every block of a file but the last.
    public var blockSize: Int
    /// Names, the root's and further names of hard links included.
    public var entries = 0
    /// What the names stand for: `entries` without `hardLinkNames`.
    public var inodes = 0
    /// Regular files; each counts once however many names it has.
    public var files = 0
    public var directories = 0
    public var symlinks = 0
    /// Devices, fifos and sockets.
    public var specials = 0
    /// Second and further names of hard-linked inodes.
    public var hardLinkNames = 0
    /// Blocks of all files, holes and repeated blocks included.
    public var blockReferences = 0
    /// Files that have a size but no blocks, and so cannot be read.
    public var filesWithoutBlocks = 0
    /// Extended attributes of all inodes.
    public var xattrs = 0
    /// Bytes of all regular files.
    public var totalSize: UInt64 = 0
    /// The same without holes and without what has no blocks.
    public var storedPlainSize: UInt64 = 0
    /// The size of the largest regular file.
    public var largestFile: UInt64 = 0
    /// Bytes in files of at least `largeFileSize`.
    public var bytesInLargeFiles: UInt64 = 0
    /// Some inode has a POSIX access control list.
    public var hasACLs = false

    /// Whether four fifths of the bytes lie in large files.
    public var isMostlyLargeFiles: Bool {
        // Both below 2^63, as sizes are.
        bytesInLargeFiles > 0 && bytesInLargeFiles / 4 >= (totalSize - min(totalSize, bytesInLargeFiles))
    }

    init(flistHash: Digest, kind: FlistKind, codec: BlockCodec, blockSize: Int) {
        self.flistHash = flistHash
        self.kind = kind
        self.codec = codec
        self.blockSize = blockSize
    }
}
