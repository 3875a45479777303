internal import BlockCodec
internal import Glibc
public import Support

/// Writes a `.fl`, row by row: that of rfs, or our own, which also holds hard links, xattrs, nanoseconds and holes.
///
/// The file appears under its name when `finish` returns, whole and on disk, and not before; a writer that goes without
/// it leaves nothing. What the rfs format cannot hold is left out and counted in `losses`. Nothing is checked that
/// opening the file will check. Not thread-safe; blocks on the disk. After an error it can only be abandoned.
public final class FlistWriter {
    /// What has been left out because the rfs format has no place for it.
    public struct Losses: Sendable, Equatable {
        /// Further names that have become files of their own.
        public var hardLinks = 0
        public var xattrs = 0
        /// Inodes with times that are not whole seconds.
        public var nanoseconds = 0
        /// Names whose bytes are not UTF-8 and have been replaced.
        public var names = 0

        public init(hardLinks: Int = 0, xattrs: Int = 0, nanoseconds: Int = 0, names: Int = 0) {
            self.hardLinks = hardLinks
            self.xattrs = xattrs
            self.nanoseconds = nanoseconds
            self.names = names
        }
    }

    public let path: String
    public let kind: FlistKind
    public private(set) var losses = Losses()
    private let temporaryPath: String
    private var tables: FungiTables?
    private var highestID: UInt64 = 1
    /// Hard links of the rfs kind: their rows can be copied only when all blocks are known.
    private var furtherNames: [(parent: UInt64, name: [UInt8], id: UInt64)] = []

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - path: Where it shall appear, in place of what is there.
    ///   - kind: `.rfs` or `.zstd`.
    ///   - blockSize: Plain bytes of every block but a file's last; 512 KiB always for rfs.
    ///   - tags: Added to those that the format needs itself.
    public init(
        _ path: String, kind: FlistKind, blockSize: Int = 512 << 10, tags: [(key: String, value: String)] = []
    ) throws(FlistError) {
        self.path = path
        self.kind = kind
        let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        temporaryPath = "\(path).tmp-\(getpid())-\(suffix)"
        guard kind != .flist else {
            throw FlistError(.unsupported, "\(path): files of the .flist format cannot be written, only .fl")
        }
        guard kind == .zstd || blockSize == FungiTags.rfsBlockSize else {
            throw FlistError(.usage, "\(path): rfs reads blocks of 512 KiB alone, not of \(blockSize) bytes")
        }
        do throws(DatabaseError) {
            tables = try FungiTables(Array(temporaryPath.utf8), kind: kind)
        } catch {
            unlink(temporaryPath)
            throw FlistError(.io, "cannot write \(temporaryPath)", cause: error)
        }
        if kind == .zstd {
            try insertTag(FungiTags.Key.format, FungiTags.format)
            try insertTag(FungiTags.Key.codec, "zstd")
            try insertTag(FungiTags.Key.blockSize, "\(blockSize)")
        } else {
            try insertTag(FungiTags.Key.codec, "snappy")
        }
        for tag in tags { try addTag(tag.key, tag.value) }
    }

    deinit { abandon() }

    /// Adds an inode under its first name. Its number in the file is its id; the root's must be 1.
    public func add(_ entry: TreeEntry) throws(FlistError) {
        let isRoot = entry.id == entry.parent
        guard isRoot == (entry.id == 1), entry.id > 0, entry.id <= UInt64(Int64.max) else {
            throw FlistError(.usage, "\(path): the root's number is 1, and no other entry's")
        }
        highestID = max(highestID, entry.id)
        let name = isRoot ? [UInt8(ascii: "/")] : storable(entry.name)
        if kind == .rfs, entry.mtime.nanoseconds != 0 || entry.ctime.nanoseconds != 0 { losses.nanoseconds += 1 }
        try write { (tables: borrowing FungiTables) throws(DatabaseError) in
            try tables.insert(entry, parent: isRoot ? 0 : entry.parent, name: name)
        }
    }

    /// Adds a further name of a hard link for the inode `id`.
    public func addName(parent: UInt64, name: [UInt8], of id: UInt64) throws(FlistError) {
        let name = storable(name)
        if kind == .rfs {
            losses.hardLinks += 1
            furtherNames.append((parent, name, id))
            return
        }
        try write { (tables: borrowing FungiTables) throws(DatabaseError) in
            try tables.insertName(parent: parent, name: name, of: id)
        }
    }

    /// Adds the next block of a file. Blocks of different files may alternate.
    public func addBlock(to id: UInt64, blockID: Digest, key: Digest) throws(FlistError) {
        try write { (tables: borrowing FungiTables) throws(DatabaseError) in
            try tables.insertBlock(to: id, blockID, key)
        }
    }

    /// Adds a block of zeros that no store holds, as the next of a file. The rfs kind has none.
    public func addHole(to id: UInt64) throws(FlistError) {
        guard kind == .zstd else {
            throw FlistError(.usage, "\(path): rfs knows no holes, zeros must be a block there")
        }
        try write { (tables: borrowing FungiTables) throws(DatabaseError) in
            try tables.insertBlock(to: id, nil, nil)
        }
    }

    /// Adds an extended attribute.
    public func addXattr(to id: UInt64, name: [UInt8], value: [UInt8]) throws(FlistError) {
        guard kind == .zstd else {
            losses.xattrs += 1
            return
        }
        try write { (tables: borrowing FungiTables) throws(DatabaseError) in
            try tables.insertXattr(to: id, name: name, value: value)
        }
    }

    /// Says where blocks whose ids begin with certain bytes are kept.
    public func addRoute(_ route: ImageRoute) throws(FlistError) {
        try route.check()
        try write { (tables: borrowing FungiTables) throws(DatabaseError) in try tables.insertRoute(route) }
    }

    /// Sets a tag.
    /// - Throws: `usage` for those that tell the format, which the writer sets itself.
    public func addTag(_ key: String, _ value: String) throws(FlistError) {
        try FungiTags.requireFree(key)
        try insertTag(key, value)
    }

    /// Says what a reader wants first. The paths need not be in the tree. rfs does not look at it. Call once.
    public func addProfile(_ entries: [ProfileEntry]) throws(FlistError) {
        try ProfileText.check(entries)
        try write { (tables: borrowing FungiTables) throws(DatabaseError) in try tables.insertProfile(entries) }
    }

    private func insertTag(_ key: String, _ value: String) throws(FlistError) {
        try write { (tables: borrowing FungiTables) throws(DatabaseError) in try tables.insertTag(key, value) }
    }

    /// Completes the file: it is on disk and under its name when this returns.
    public func finish() throws(FlistError) {
        let names = furtherNames
        let highest = highestID
        try write { (tables: borrowing FungiTables) throws(DatabaseError) in
            try tables.finish(copying: names, above: highest)
        }
        tables = nil
        do throws(Errno) {
            let file = try FileDescriptor(temporaryPath, O_RDONLY)
            _ = try systemCall { fsync(file.number) }
            _ = try systemCall { rename(temporaryPath, path) }
            // The name itself is on disk once the folder is. Not every file system can do that.
            let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
            let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            if let folder = try? FileDescriptor(folder, O_RDONLY | O_DIRECTORY) { fsync(folder.number) }
        } catch {
            unlink(temporaryPath)
            throw FlistError("cannot write \(path)", errno: error)
        }
    }

    /// Gives up: what was written is removed. Does nothing after `finish`.
    public func abandon() {
        guard tables != nil else { return }
        tables = nil
        unlink(temporaryPath)
    }

    /// The name as the format can hold it.
    private func storable(_ name: [UInt8]) -> [UInt8] {
        guard kind == .rfs, String(validating: name, as: UTF8.self) == nil else { return name }
        losses.names += 1
        // What rfs' own packer does: U+FFFD for what is not UTF-8.
        return Array(String(decoding: name, as: UTF8.self).utf8)
    }

    private func write(_ body: (borrowing FungiTables) throws(DatabaseError) -> Void) throws(FlistError) {
        do throws(DatabaseError) {
            guard tables != nil else { throw DatabaseError("it is finished or abandoned already") }
            try tables?.run(body)
        } catch {
            throw FlistError(.io, "cannot write \(path)", cause: error)
        }
    }
}
