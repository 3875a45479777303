/// The file format of a `TreeIndex`, in the byte order of the machine that wrote it.
///
/// A header of 512 bytes, then the sections, each padded with zeros to a multiple of 8 bytes, without gaps. The
/// header's last 8 bytes are the XXH3-64 of the others; the table in it has each section's offset, length and XXH3-64
/// (padding included). So every byte of the file is covered.
enum TreeIndexLayout {
    static let headerLength = 512
    static let magic: UInt64 = 0x5844_4954_5349_4c46  // "FLISTIDX"
    static let version: UInt32 = 2
    /// Reads differently on a machine of the other byte order.
    static let byteOrder: UInt32 = 0x0a0b_0c0d
    static let sectionTableOffset = 192
    static let checksumOffset = headerLength - 8

    enum Section: Int, CaseIterable {
        /// `InodeRecord`s; number n is at position n - 1.
        case inodes = 0
        /// `NamePrefix` of every record: lookups find their way in these 8 bytes, mostly without a look at records
        /// and names (0.6 instead of 1.1 µs in 1,000,000 inodes).
        case prefixes
        /// Bytes of names, directory by directory.
        case names
        /// Bytes of symlink targets.
        case targets
        /// Id and key of every block; all zeros is a hole.
        case blocks
        /// `XattrSetRecord`s.
        case xattrSets
        /// `XattrRecord`s; those of a set are one run, sorted by name.
        case xattrs
        /// Bytes of xattr names and values.
        case xattrBytes
        /// Tags, routes, router, backend and profile, see `IndexMetadata`.
        case metadata
    }

    /// `length` rounded up to a multiple of 8; nil when that overflows.
    static func padded(_ length: UInt64) -> UInt64? {
        let (sum, overflow) = length.addingReportingOverflow(7)
        return overflow ? nil : sum & ~7
    }
}

/// One row of the header's section table.
struct SectionRecord: BitwiseCopyable {
    var offset: UInt64 = 0
    var length: UInt64 = 0
    var checksum: UInt64 = 0
}

/// The header up to the section table. Integers only, so that any bytes are a valid value.
struct HeaderRecord: BitwiseCopyable {
    var magic = TreeIndexLayout.magic
    var version = TreeIndexLayout.version
    var byteOrder = TreeIndexLayout.byteOrder
    var fileLength: UInt64 = 0
    var blockSize: UInt32 = 0
    var kind: UInt8 = 0
    var codec: UInt8 = 0
    var hashLength: UInt8 = 0
    var hasACLs: UInt8 = 0
    var hash: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var entries: UInt64 = 0
    var inodes: UInt64 = 0
    var files: UInt64 = 0
    var directories: UInt64 = 0
    var symlinks: UInt64 = 0
    var specials: UInt64 = 0
    var hardLinkNames: UInt64 = 0
    var blockReferences: UInt64 = 0
    var filesWithoutBlocks: UInt64 = 0
    var xattrs: UInt64 = 0
    var totalSize: UInt64 = 0
    var storedPlainSize: UInt64 = 0
    var largestFile: UInt64 = 0
    var bytesInLargeFiles: UInt64 = 0
}

/// One name in the tree and, unless it is a further name, its inode. 80 bytes, integers only.
struct InodeRecord: BitwiseCopyable {
    /// The inode is that of another record, whose number is `content`.
    static let furtherName: UInt8 = 1
    /// A regular file with a size and no blocks.
    static let withoutBlocks: UInt8 = 2

    var size: UInt64 = 0
    var mtime: Int64 = 0
    var ctime: Int64 = 0
    var mtimeNanoseconds: UInt32 = 0
    var ctimeNanoseconds: UInt32 = 0
    /// By type. Files: the first block's position. Directories: the first child's number, and the count of children
    /// in the upper 32 bits. Symlinks: the target's offset. Devices: minor, and major in the upper 32 bits.
    var content: UInt64 = 0
    /// The offset, shifted by 8 bits, and the length in the low 8 bits.
    var name: UInt64 = 0
    var parent: UInt32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    var nlink: UInt32 = 0
    var permissions: UInt16 = 0
    var type: UInt8 = 0
    var flags: UInt8 = 0
    /// The position of the xattr set plus 1; 0 for none.
    var xattrSet: UInt32 = 0
    var sectors: UInt64 = 0
}

/// A run of `XattrRecord`s that one or more inodes have.
struct XattrSetRecord: BitwiseCopyable {
    var first: UInt32 = 0
    var count: UInt32 = 0
}

/// Where an extended attribute's name and value are in the section of bytes.
struct XattrRecord: BitwiseCopyable {
    var nameOffset: UInt64 = 0
    var valueOffset: UInt64 = 0
    var nameLength: UInt32 = 0
    var valueLength: UInt32 = 0
}
