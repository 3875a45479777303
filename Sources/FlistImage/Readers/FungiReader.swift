internal import BlockCodec
internal import Support

/// Reads a `.fl`, that of rfs or our own, into a builder.
///
/// Rows are streamed in the order of inode numbers; the side tables run along in the same order, so that memory does
/// not grow with them.
enum FungiReader {
    static let inodeColumns = [
        "ino", "parent", "name", "size", "uid", "gid", "mode", "rdev", "ctime", "mtime",
    ]

    static func read(_ database: borrowing Database, hash: Digest) throws(FlistError) -> TreeIndexBuilder {
        let tags = try FungiTags(database)
        let isOurs = tags.kind == .zstd
        var info = TreeIndexInfo(
            flistHash: hash, kind: tags.kind, codec: isOurs ? .gcmZstd : .gcmSnappy, blockSize: tags.blockSize,
            tags: tags.tags, routes: tags.routes)
        // Only advice: one that is broken does not spoil the flist.
        info.profile = (try? FungiProfile.read(database)) ?? []
        var builder = TreeIndexBuilder(info: info)
        builder.limits.bytes = database.keptLimit
        do {
            try database.requireTable("inode", columns: inodeColumns)
            try database.requireTable("block", columns: ["ino", "id", "key"])
            try database.requireTable("extra", columns: ["ino", "data"])
            try readInodes(database, isOurs: isOurs, into: &builder)
            try readBlocks(database, allowsHoles: isOurs, into: &builder)
            if isOurs {
                try readHardLinks(database, into: &builder)
                try readXattrs(database, into: &builder)
            }
        } catch let error as FlistError {
            throw error
        } catch {
            throw FlistError(.invalid, "\(error)")
        }
        return builder
    }

    private static func readInodes(
        _ database: borrowing Database, isOurs: Bool, into builder: inout TreeIndexBuilder
    ) throws {
        let rows = try database.prepare("SELECT \(inodeColumns.joined(separator: ", ")) FROM inode ORDER BY ino")
        var links = SideTable(try database.prepare("SELECT ino, data FROM extra ORDER BY ino"), "extra")
        var times: SideTable?
        if isOurs, try database.has("nanotime") {
            try database.requireTable("nanotime", columns: ["ino", "mtime_ns", "ctime_ns"])
            times = SideTable(
                try database.prepare("SELECT ino, mtime_ns, ctime_ns FROM nanotime ORDER BY ino"), "nanotime")
        }
        var hasRoot = false
        while try rows.step() {
            let ino: Int64
            var entry: TreeEntry
            do throws(DatabaseError) {
                ino = try rows.integer(0)
            } catch {
                throw DatabaseError("table inode: \(error)")
            }
            do throws(DatabaseError) {
                entry = try self.entry(rows, ino: ino)
                if entry.type == .symlink {
                    guard try links.seek(ino) else { throw DatabaseError("a symlink without a row in extra") }
                    entry.linkTarget = try links.statement.bytes(1)
                }
                if try times?.seek(ino) == true { try times?.nanoseconds(of: &entry) }
                if entry.id == entry.parent {
                    guard !hasRoot else { throw DatabaseError("a second inode without a parent") }
                    hasRoot = true
                }
            } catch {
                throw DatabaseError("table inode, ino \(ino): \(error)")
            }
            try builder.add(entry)
        }
        guard hasRoot else { throw DatabaseError("table inode has no root, a row whose parent is 0") }
    }

    private static func entry(_ row: borrowing Statement, ino: Int64) throws(DatabaseError) -> TreeEntry {
        guard ino > 0 else { throw DatabaseError("its number is not above 0") }
        let parent = try row.integer(1)
        // The root's parent is 0 and its name "/"; an inode that names itself is no root.
        guard parent >= 0, parent != ino else { throw DatabaseError("its parent \(parent) cannot be") }
        let mode = try unsigned(row, 6, "mode")
        guard mode <= 0o177777, let type = FileType(mode: mode) else {
            throw DatabaseError("its mode 0\(String(mode, radix: 8)) is of no type that Linux knows")
        }
        var entry = TreeEntry(
            id: UInt64(ino), parent: UInt64(parent == 0 ? ino : parent), name: parent == 0 ? [] : try row.bytes(2),
            type: type, permissions: UInt16(mode & 0o7777))
        let size = try row.integer(3)
        guard size >= 0 else { throw DatabaseError("its size \(size) is negative") }
        entry.size = UInt64(size)
        entry.uid = try unsigned(row, 4, "uid")
        entry.gid = try unsigned(row, 5, "gid")
        if type == .characterDevice || type == .blockDevice {
            let device = UInt64(bitPattern: try row.integer(7))
            // glibc's 64-bit dev_t (bits/sysmacros.h): 12 + 20 bits of major, 8 + 24 bits of minor.
            let major = (device >> 8 & 0xfff) | (device >> 32 & 0xffff_f000)
            let minor = (device & 0xff) | (device >> 12 & 0xffff_ff00)
            entry.major = UInt32(truncatingIfNeeded: major)
            entry.minor = UInt32(truncatingIfNeeded: minor)
        }
        entry.ctime = Timestamp(seconds: try row.integer(8))
        entry.mtime = Timestamp(seconds: try row.integer(9))
        return entry
    }

    private static func unsigned(
        _ row: borrowing Statement, _ column: Int32, _ name: String
    ) throws(DatabaseError) -> UInt32 {
        let value = try row.integer(column)
        guard let number = UInt32(exactly: value) else { throw DatabaseError("its \(name) \(value) is out of range") }
        return number
    }
}
