internal import Support

/// A folder with a limit on the bytes below it.
public struct Volume: Sendable, Hashable {
    /// One path component, unique in its store.
    public let name: String
    /// The folder; it lies on a local file system that can hold the upper and the work folder of an overlay.
    public let path: String
    /// In bytes, data and directories together; 0 is no limit.
    public let limit: UInt64
    /// Bytes in use when this was asked for, with what is written but not yet on the disk.
    public let used: UInt64

    public init(name: String, path: String, limit: UInt64, used: UInt64) {
        self.name = name
        self.path = path
        self.limit = limit
        self.used = used
    }
}
