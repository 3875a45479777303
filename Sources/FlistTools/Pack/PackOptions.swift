public import BlockStore
public import FlistImage

/// What to pack, how, and where to.
public struct PackOptions: Sendable {
    /// What a flist can be made in.
    public enum Format: Sendable {
        /// Our own: Zstandard, hard links, xattrs, holes, nanoseconds.
        case zstd
        /// What rfs reads: Snappy, none of the rest.
        case rfs
    }

    /// A directory, or a tar file compressed or not.
    public var source: String
    /// The flist to write; it appears when all is done, replacing what was there.
    public var output: String
    public var format = Format.zstd
    /// Zstandard's level, from 1 (fast) to 19 (small).
    public var level: Int32 = 3
    /// Threads that read, hash, compress and encrypt; 0 is one per core.
    public var jobs = 0
    /// Plain bytes in a block; rfs can have 512 KiB only.
    public var blockSize = 512 << 10
    public var excludes: [ExcludePattern] = []
    /// Whether to leave out what is mounted inside the source. The mount points are packed, empty.
    public var oneFileSystem = false
    /// Where the blocks go, and what is recorded for readers.
    public var stores: [StoreRoute] = []
    /// Whether passwords and tokens in the stores' addresses are recorded too. The user's name always is.
    public var keepPasswords = false
    /// An earlier flist, whose blocks are used again.
    public var base: PackBase?
    /// What a reader of the flist wants first.
    public var profile: [ProfileEntry] = []

    public init(source: String, output: String) {
        self.source = source
        self.output = output
    }

    var kind: FlistKind { format == .zstd ? .zstd : .rfs }
}

/// What there is to tell while packing.
public enum PackNotice: Sendable, Hashable {
    /// Something differs from what a person may expect; the flist is right all the same.
    case warning(String)
    /// An entry is missing in the flist; the text says which and why.
    case failure(String)
}

/// How far packing is.
public struct PackProgress: Sendable, Hashable {
    /// Entries found so far.
    public var entries: UInt64 = 0
    /// Plain bytes read so far.
    public var bytes: UInt64 = 0
    /// Plain bytes of blocks that had been seen before.
    public var repeatedBytes: UInt64 = 0
    /// Bytes that stores have taken.
    public var storedBytes: UInt64 = 0
}

/// What was packed.
public struct PackSummary: Sendable, Hashable {
    /// Names, the root's included.
    public var entries = 0
    /// Regular files, each once however many names it has.
    public var files = 0
    /// Second and further names.
    public var hardLinks = 0
    /// Bytes of all regular files, holes included.
    public var bytes: UInt64 = 0
    /// Blocks of all files without holes, repeated ones as often as they occur.
    public var blocks = 0
    /// Blocks that differ.
    public var distinctBlocks = 0
    /// Plain bytes of the blocks that differ.
    public var distinctBytes: UInt64 = 0
    /// Plain bytes of the blocks that differ and that the base does not have.
    public var newBytes: UInt64 = 0
    /// Stored bytes of the blocks that differ and that the base does not have.
    public var storedBytes: UInt64 = 0
    /// Files that the base has as they are, and that were not read; some of `files`.
    public var baseFiles = 0
    /// Bytes of those files, holes included.
    public var baseBytes: UInt64 = 0
    /// Blocks that are holes.
    public var holes = 0
    /// Files that were changed while they were read, twice.
    public var changed = 0
    /// Entries that went away between being listed and being read.
    public var vanished = 0
    /// Entries that could not be read and are not in the flist.
    public var failed = 0
    /// What the excludes left out; each directory counts once.
    public var excluded = 0
    public var duration = Duration.zero
}
