/// How a file system is mounted and served.
public struct MountOptions: Sendable, Hashable {
    /// What the mount table shows as the source.
    public var source: String
    /// The type in the mount table becomes `fuse.` and this.
    public var subtype = "flist"
    /// Whether users other than the one who mounts may use it.
    public var allowOther: Bool
    /// Whether the kernel checks permission bits and owners.
    public var defaultPermissions = true
    public var readOnly = true
    public var noSuid = false
    public var noDev = false
    public var noExec = false
    public var noAtime = true
    /// Threads that serve requests. More than the cores only help while some wait for the disk.
    public var workers: Int
    /// How far the kernel reads ahead; 1024 reads 40 % faster than its own 128. Beyond 128 as root only.
    public var readaheadKiB = 1024
    /// The largest read request in bytes; 1 MiB is also the kernel's own limit.
    public var maximumRead = 1 << 20
    /// Whether the kernel evaluates POSIX access control lists (as root only).
    public var aclSupport = false
    /// How files are opened; nil leaves it to whoever knows the tree, and is `none` in the end.
    public var opens: OpenMode?
    /// What is done where `opens` is `passthrough` and the kernel is older, or this process may not.
    public var insteadOfPassthrough = OpenMode.message

    /// The default for everything but the source; all users may enter if root mounts.
    public init(source: String) {
        self.source = source
        allowOther = MountOptions.isRoot
        workers = MountOptions.defaultWorkers
    }
}
