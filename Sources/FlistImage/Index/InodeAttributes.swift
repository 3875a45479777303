/// What stat(2) says about an inode.
public struct InodeAttributes: Hashable, Sendable {
    /// The inode's own number: the first name's for further names of a hard link.
    public var number: InodeNumber
    public var type: FileType
    /// The 12 permission bits.
    public var permissions: UInt16
    public var uid: UInt32
    public var gid: UInt32
    /// Names, and for a directory 2 and its subdirectories.
    public var nlink: UInt32
    /// Bytes of a file, length of a symlink's target, or what the flist says of a directory (else 4,096).
    public var size: UInt64
    /// 512-byte units held; holes do not count.
    public var sectors: UInt64
    /// Of devices, else 0.
    public var major: UInt32
    /// Of devices, else 0.
    public var minor: UInt32
    public var mtime: Timestamp
    public var ctime: Timestamp
    /// The file has a size but its flist names no blocks: it cannot be read.
    public var isWithoutBlocks: Bool

    public init(
        number: InodeNumber, type: FileType, permissions: UInt16, uid: UInt32, gid: UInt32, nlink: UInt32,
        size: UInt64, sectors: UInt64, major: UInt32 = 0, minor: UInt32 = 0, mtime: Timestamp, ctime: Timestamp,
        isWithoutBlocks: Bool = false
    ) {
        self.number = number
        self.type = type
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
        self.nlink = nlink
        self.size = size
        self.sectors = sectors
        self.major = major
        self.minor = minor
        self.mtime = mtime
        self.ctime = ctime
        self.isWithoutBlocks = isWithoutBlocks
    }

    /// The full `st_mode`: type and permissions.
    public var mode: UInt32 { type.modeBits | UInt32(permissions) }

    /// The device number in the kernel's 32-bit form (`new_encode_dev`), as FUSE wants it.
    public var rdev: UInt32 { (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12) }
}

extension FileType {
    /// The `S_IFMT` bits of `st_mode`, inode(7).
    public var modeBits: UInt32 {
        switch self {
        case .regular: 0o100000
        case .directory: 0o040000
        case .symlink: 0o120000
        case .characterDevice: 0o020000
        case .blockDevice: 0o060000
        case .fifo: 0o010000
        case .socket: 0o140000
        }
    }

    /// The type that `st_mode` holds; nil when it holds none that Linux knows.
    public init?(mode: UInt32) {
        guard let type = FileType.allCases.first(where: { $0.modeBits == mode & 0o170000 }) else { return nil }
        self = type
    }
}
