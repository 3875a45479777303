/// How to unpack.
public struct UnpackOptions: Sendable {
    /// Whether entries get the owners that the flist says; needs root. Otherwise they belong to the caller.
    public var keepOwners: Bool
    /// Whether a folder that is not empty is taken: what is in the way is replaced, the rest stays.
    public var force = false

    public init(keepOwners: Bool) { self.keepOwners = keepOwners }
}

/// What was unpacked.
public struct UnpackSummary: Sendable, Hashable {
    /// Names made, the root's included.
    public var entries: UInt64 = 0
    /// Plain bytes written, without holes.
    public var bytes: UInt64 = 0
    /// Entries that could not be made as they should be, each told.
    public var failed = 0
    public var duration = Duration.zero
}
