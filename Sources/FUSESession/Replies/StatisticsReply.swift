internal import CFUSE
public import Support

/// What `statfs` shows. Counts are in units of `blockSize` bytes.
public struct FileSystemStatistics: Sendable, Hashable {
    public var blockSize: UInt32
    public var blocks: UInt64
    public var freeBlocks: UInt64
    public var files: UInt64
    public var freeFiles: UInt64
    /// The longest name in bytes.
    public var nameLength: UInt32

    public init(
        blockSize: UInt32 = 4096, blocks: UInt64 = 0, freeBlocks: UInt64 = 0, files: UInt64 = 0,
        freeFiles: UInt64 = 0, nameLength: UInt32 = 255
    ) {
        self.blockSize = blockSize
        self.blocks = blocks
        self.freeBlocks = freeBlocks
        self.files = files
        self.freeFiles = freeFiles
        self.nameLength = nameLength
    }
}

/// The answer to statfs. Dropped, it answers EIO; any thread may answer.
public struct StatisticsReply: ~Copyable, Sendable {
    let token: RequestToken

    public consuming func succeed(_ statistics: FileSystemStatistics) {
        var answer = fuse_statfs_out()
        answer.st.bsize = statistics.blockSize
        answer.st.frsize = statistics.blockSize
        answer.st.blocks = statistics.blocks
        answer.st.bfree = statistics.freeBlocks
        answer.st.bavail = statistics.freeBlocks
        answer.st.files = statistics.files
        answer.st.ffree = statistics.freeFiles
        answer.st.namelen = statistics.nameLength
        token.send(structure: answer)
    }

    public consuming func fail(_ error: Errno) { token.fail(error) }
}
