/// The position of an inode's record in a `TreeIndex`; the root's is 1. It is also the FUSE node id.
public typealias InodeNumber = UInt32

/// What an inode is.
public enum FileType: UInt8, Sendable, CaseIterable {
    case regular = 1, directory, symlink, characterDevice, blockDevice, fifo, socket
}

/// A time as stat(2) gives it.
public struct Timestamp: Hashable, Sendable, Comparable {
    /// Since 1970-01-01 UTC; may be negative.
    public var seconds: Int64
    /// 0 to 999,999,999.
    public var nanoseconds: UInt32

    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public static func < (a: Timestamp, b: Timestamp) -> Bool {
        (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
    }
}

/// One inode as a format's reader found it, under one name. Nothing in it has been checked yet.
public struct TreeEntry: Sendable {
    /// The reader's own number for the inode, unique in the flist.
    public var id: UInt64
    /// The `id` of the directory that holds it; the root names itself.
    public var parent: UInt64
    /// Bytes as they are; empty for the root.
    public var name: [UInt8]
    public var type: FileType
    /// The 12 permission bits.
    public var permissions: UInt16
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    /// Bytes of a regular file; ignored for everything else.
    public var size: UInt64 = 0
    public var mtime = Timestamp(seconds: 0)
    public var ctime = Timestamp(seconds: 0)
    /// Of devices.
    public var major: UInt32 = 0
    public var minor: UInt32 = 0
    /// Of symlinks.
    public var linkTarget: [UInt8] = []

    public init(id: UInt64, parent: UInt64, name: [UInt8], type: FileType, permissions: UInt16) {
        self.id = id
        self.parent = parent
        self.name = name
        self.type = type
        self.permissions = permissions
    }
}
