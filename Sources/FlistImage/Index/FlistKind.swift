/// The format that a flist has.
public enum FlistKind: UInt8, Sendable, CaseIterable {
    /// A tar archive with a database of Cap'n Proto messages, as 0-flist writes.
    case flist = 1
    /// A database as rfs version 2 writes.
    case rfs = 2
    /// The same database with our extra tables: hard links, xattrs, holes, nanoseconds.
    case zstd = 3
}

extension FlistKind: CustomStringConvertible {
    /// The format's name: that of the extension, and for `.fl` whose dialect.
    public var description: String {
        switch self {
        case .flist: "flist"
        case .rfs: "rfs fl"
        case .zstd: "zstd fl"
        }
    }
}
