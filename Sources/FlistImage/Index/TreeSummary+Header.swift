internal import BlockCodec
internal import Support

extension TreeSummary {
    /// Reads the header; nil when a field cannot be.
    init?(_ header: HeaderRecord) {
        let hash = withUnsafeBytes(of: header.hash) { bytes in
            Digest(UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, Int(header.hashLength))]))
        }
        guard let hash, let kind = FlistKind(rawValue: header.kind), let codec = BlockCodec(rawValue: header.codec),
            header.blockSize >= 1, header.entries < 1 << 31,
            let files = Int(exactly: header.files), let directories = Int(exactly: header.directories),
            let symlinks = Int(exactly: header.symlinks), let specials = Int(exactly: header.specials),
            let inodes = Int(exactly: header.inodes), let names = Int(exactly: header.hardLinkNames),
            let references = Int(exactly: header.blockReferences), let xattrs = Int(exactly: header.xattrs),
            let withoutBlocks = Int(exactly: header.filesWithoutBlocks)
        else { return nil }
        self.init(flistHash: hash, kind: kind, codec: codec, blockSize: Int(header.blockSize))
        entries = Int(header.entries)
        self.inodes = inodes
        self.files = files
        self.directories = directories
        self.symlinks = symlinks
        self.specials = specials
        hardLinkNames = names
        blockReferences = references
        filesWithoutBlocks = withoutBlocks
        self.xattrs = xattrs
        totalSize = header.totalSize
        storedPlainSize = header.storedPlainSize
        largestFile = header.largestFile
        bytesInLargeFiles = header.bytesInLargeFiles
        hasACLs = header.hasACLs != 0
    }
}

extension HeaderRecord {
    init(_ summary: TreeSummary, fileLength: UInt64) {
        self.fileLength = fileLength
        blockSize = UInt32(clamping: summary.blockSize)
        kind = summary.kind.rawValue
        codec = summary.codec.rawValue
        hashLength = UInt8(clamping: summary.flistHash.count)
        hasACLs = summary.hasACLs ? 1 : 0
        summary.flistHash.withBytes { source in
            withUnsafeMutableBytes(of: &hash) { $0.copyMemory(from: source) }
        }
        entries = UInt64(summary.entries)
        inodes = UInt64(summary.inodes)
        files = UInt64(summary.files)
        directories = UInt64(summary.directories)
        symlinks = UInt64(summary.symlinks)
        specials = UInt64(summary.specials)
        hardLinkNames = UInt64(summary.hardLinkNames)
        blockReferences = UInt64(summary.blockReferences)
        filesWithoutBlocks = UInt64(summary.filesWithoutBlocks)
        xattrs = UInt64(summary.xattrs)
        totalSize = summary.totalSize
        storedPlainSize = summary.storedPlainSize
        largestFile = summary.largestFile
        bytesInLargeFiles = summary.bytesInLargeFiles
    }
}
