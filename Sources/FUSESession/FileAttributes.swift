internal import CFUSE

/// The number by which the kernel names an inode to us; the root is 1, 0 means none.
public typealias NodeID = UInt64

/// What `stat` shows of an inode.
public struct FileAttributes: Sendable, Hashable {
    /// A moment since 1970, as the kernel keeps it; seconds may be negative.
    public struct Time: Sendable, Hashable {
        public var seconds: Int64
        public var nanoseconds: UInt32

        public init(seconds: Int64 = 0, nanoseconds: UInt32 = 0) {
            self.seconds = seconds
            self.nanoseconds = nanoseconds
        }
    }

    /// What `stat` and directory entries show as the inode number.
    public var inode: UInt64
    /// The whole `st_mode`: the file's type and its twelve permission bits.
    public var mode: UInt32
    public var nlink: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// In bytes.
    public var size: UInt64
    /// The space used, in units of 512 bytes, as `st_blocks` has it.
    public var sectors: UInt64
    /// The preferred size of a read in bytes, `st_blksize`.
    public var blockSize: UInt32
    /// Of a device; 0 for everything else.
    public var major: UInt32
    public var minor: UInt32
    public var atime: Time
    public var mtime: Time
    public var ctime: Time

    public init(
        inode: UInt64, mode: UInt32, nlink: UInt32 = 1, uid: UInt32 = 0, gid: UInt32 = 0, size: UInt64 = 0,
        sectors: UInt64 = 0, blockSize: UInt32 = 4096, major: UInt32 = 0, minor: UInt32 = 0, atime: Time = Time(),
        mtime: Time = Time(), ctime: Time = Time()
    ) {
        self.inode = inode
        self.mode = mode
        self.nlink = nlink
        self.uid = uid
        self.gid = gid
        self.size = size
        self.sectors = sectors
        self.blockSize = blockSize
        self.major = major
        self.minor = minor
        self.atime = atime
        self.mtime = mtime
        self.ctime = ctime
    }
}

extension FileAttributes {
    /// As the kernel reads them.
    var kernelAttributes: fuse_attr {
        var result = fuse_attr()
        result.ino = inode
        result.size = size
        result.blocks = sectors
        result.atime = UInt64(bitPattern: atime.seconds)
        result.mtime = UInt64(bitPattern: mtime.seconds)
        result.ctime = UInt64(bitPattern: ctime.seconds)
        result.atimensec = atime.nanoseconds
        result.mtimensec = mtime.nanoseconds
        result.ctimensec = ctime.nanoseconds
        result.mode = mode
        result.nlink = nlink
        result.uid = uid
        result.gid = gid
        // new_encode_dev() of <linux/kdev_t.h>: 12 bits of major between the low 8 and the high 12 bits of minor.
        result.rdev = (minor & 0xff) | (major & 0xfff) << 8 | (minor & 0xfff00) << 12
        result.blksize = blockSize
        return result
    }
}

/// How long the kernel may keep names and attributes: for ever, as the tree never changes.
///
/// 68 years; larger values are cut by the kernel's timespec64_to_jiffies() anyway.
let forever: UInt64 = 0x7fff_ffff

extension fuse_entry_out {
    init(node: NodeID, attributes: FileAttributes) {
        self.init()
        nodeid = node
        entry_valid = forever
        attr_valid = forever
        attr = attributes.kernelAttributes
    }
}
