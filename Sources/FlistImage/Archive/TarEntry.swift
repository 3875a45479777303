/// A member of a tar file, as it is there: nothing in it has been checked but that names hold no NUL.
///
/// Paths may be absolute, hold `..` or lead through symlinks: whoever creates files from them must guard itself.
public struct TarEntry: Sendable {
    /// Bytes as they are, without the slashes at their end.
    public var path: [UInt8]
    /// Nil for a further name of a file, see `hardLinkTarget`.
    public var type: FileType?
    /// The path of the member that this one is a further name of.
    public var hardLinkTarget: [UInt8]?
    /// The 12 permission bits.
    public var permissions: UInt16
    public var uid: UInt32
    public var gid: UInt32
    public var mtime: Timestamp
    /// Bytes of content, holes included.
    public var size: UInt64
    public var linkTarget: [UInt8]
    public var major: UInt32
    public var minor: UInt32
    /// POSIX access control lists among them, as `system.posix_acl_access` and `system.posix_acl_default`.
    public var xattrs: [(name: [UInt8], value: [UInt8])]
    /// The ranges that hold data, in order; nil when there are no holes.
    public var dataRegions: [Range<UInt64>]?
    /// What of the member cannot be represented, one line each.
    public var losses: [String]
}
