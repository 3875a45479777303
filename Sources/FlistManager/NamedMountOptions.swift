/// How a named mount is made. The zero values are what a caller that says nothing means.
public struct NamedMountOptions: Sendable, Hashable {
    /// Whether nothing can be written; of the others only `storage` matters then.
    public var readOnly = false
    /// The most bytes that may be written, where the writable side has to be made.
    public var limit: UInt64 = 0
    /// A store that is asked before the flist's own, in the form of `--store`; empty for none.
    public var storage = ""
    /// A folder that takes what is written and is never deleted; empty for a volume of the mount's own name.
    public var persistedVolume = ""

    public init() {}
}
