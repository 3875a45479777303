/// One thing that a reader of a flist wants early: a range of a file's bytes, by the file's path.
///
/// A path and not a number, so that a profile also serves the flist that is packed of the same tree tomorrow.
public struct ProfileEntry: Sendable, Hashable {
    /// From the root, beginning with `/`.
    public var path: [UInt8]
    public var offset: UInt64
    /// Bytes; at least 1.
    public var length: UInt64

    public init(path: [UInt8], offset: UInt64, length: UInt64) {
        self.path = path
        self.offset = offset
        self.length = length
    }
}
