internal import BlockCodec
internal import Support

extension FungiReader {
    /// Reads the blocks in file order, which is the order of their rows.
    static func readBlocks(
        _ database: borrowing Database, allowsHoles: Bool, into builder: inout TreeIndexBuilder
    ) throws {
        // Writers add a file's blocks together and files in the order of their inodes, so that sorting (through the
        // index on ino, one seek per row, or in memory) is mostly for nothing: looking first costs a tenth of it.
        let order = try isSorted(database) ? "rowid" : "ino, rowid"
        let rows = try database.prepare("SELECT ino, id, key FROM block ORDER BY \(order)")
        while try rows.step() {
            let ino: Int64
            let id: Digest?
            let key: Digest?
            do throws(DatabaseError) {
                ino = try rows.integer(0)
                guard ino > 0 else { throw DatabaseError("the inode's number \(ino) is not above 0") }
                id = try digest(rows, 1, allowsHoles, ino)
                key = try digest(rows, 2, allowsHoles, ino)
            } catch {
                throw DatabaseError("table block: \(error)")
            }
            try builder.addBlock(to: UInt64(ino), blockID: id, key: key)
        }
    }

    private static func isSorted(_ database: borrowing Database) throws(DatabaseError) -> Bool {
        let rows = try database.prepare("SELECT ino FROM block NOT INDEXED ORDER BY rowid")
        var last = Int64.min
        while try rows.step() {
            guard rows.storageClass(0) == .integer else { return true }
            let ino = try rows.integer(0)
            if ino < last { return false }
            last = ino
        }
        return true
    }

    /// Nil for the empty blob of a hole.
    private static func digest(
        _ row: borrowing Statement, _ column: Int32, _ allowsHoles: Bool, _ ino: Int64
    ) throws(DatabaseError) -> Digest? {
        let (count, digest) = try row.withBlob(column) { ($0.count, $0.count == 32 ? Digest($0) : nil) }
        if count == 0, allowsHoles { return nil }
        guard let digest else {
            throw DatabaseError(
                "a block of ino \(ino) has \(column == 1 ? "an id" : "a key") of \(count) bytes, not 32")
        }
        return digest
    }

    static func readHardLinks(_ database: borrowing Database, into builder: inout TreeIndexBuilder) throws {
        guard try database.has("hardlink") else { return }
        try database.requireTable("hardlink", columns: ["parent", "name", "ino"])
        let rows = try database.prepare("SELECT parent, name, ino FROM hardlink")
        while try rows.step() {
            let parent: Int64
            let name: [UInt8]
            let ino: Int64
            do throws(DatabaseError) {
                parent = try rows.integer(0)
                name = try rows.bytes(1)
                ino = try rows.integer(2)
                guard parent > 0, ino > 0 else { throw DatabaseError("an inode's number is not above 0") }
            } catch {
                throw DatabaseError("table hardlink: \(error)")
            }
            try builder.addName(parent: UInt64(parent), name: name, of: UInt64(ino))
        }
    }

    static func readXattrs(_ database: borrowing Database, into builder: inout TreeIndexBuilder) throws {
        guard try database.has("xattr") else { return }
        try database.requireTable("xattr", columns: ["ino", "name", "value"])
        let rows = try database.prepare("SELECT ino, name, value FROM xattr")
        while try rows.step() {
            let ino: Int64
            let name: [UInt8]
            let value: [UInt8]
            do throws(DatabaseError) {
                ino = try rows.integer(0)
                guard ino > 0 else { throw DatabaseError("the inode's number \(ino) is not above 0") }
                name = try rows.bytes(1)
                value = try rows.bytes(2)
            } catch {
                throw DatabaseError("table xattr: \(error)")
            }
            try builder.addXattr(to: UInt64(ino), name: name, value: value)
        }
    }
}
