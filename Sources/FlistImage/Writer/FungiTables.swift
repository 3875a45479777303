internal import Support

/// The tables of a `.fl` that is being written, in one transaction. Not thread-safe.
struct FungiTables: ~Copyable {
    private let database: Database
    private let inode: Statement
    private let extra: Statement
    private let block: Statement
    private let tag: Statement
    private let route: Statement
    private let hardlink: Statement?
    private let xattr: Statement?
    private let nanotime: Statement?

    init(_ path: [UInt8], kind: FlistKind) throws(DatabaseError) {
        let database = try Self.make(path, kind: kind)
        let inode = try database.prepare("INSERT INTO inode VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
        let extra = try database.prepare("INSERT INTO extra VALUES (?1, ?2)")
        let block = try database.prepare("INSERT INTO block VALUES (?1, ?2, ?3)")
        let tag = try database.prepare("INSERT INTO tag VALUES (?1, ?2)")
        let route = try database.prepare("INSERT INTO route VALUES (?1, ?2, ?3)")
        let isOurs = kind == .zstd
        let hardlink = isOurs ? try database.prepare("INSERT INTO hardlink VALUES (?1, ?2, ?3)") : nil
        let xattr = isOurs ? try database.prepare("INSERT INTO xattr VALUES (?1, ?2, ?3)") : nil
        let nanotime = isOurs ? try database.prepare("INSERT INTO nanotime VALUES (?1, ?2, ?3)") : nil
        self.database = database
        self.inode = inode
        self.extra = extra
        self.block = block
        self.tag = tag
        self.route = route
        self.hardlink = hardlink
        self.xattr = xattr
        self.nanotime = nanotime
    }

    private static func make(_ path: [UInt8], kind: FlistKind) throws(DatabaseError) -> Database {
        let database = try Database.openOwn(path: path, create: true)
        // The file has no name that anybody knows until it is complete: it need not survive a crash before.
        try database.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE")
        try database.execute("PRAGMA encoding='UTF-8'; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536; BEGIN")
        try database.execute(FungiSchema.rfs)
        if kind == .zstd { try database.execute(FungiSchema.extensions) }
        return database
    }

    /// Lends itself: optionals of types that cannot be copied have no other way.
    borrowing func run(_ body: (borrowing FungiTables) throws(DatabaseError) -> Void) throws(DatabaseError) {
        try body(self)
    }

    borrowing func insert(_ entry: TreeEntry, parent: UInt64, name: [UInt8]) throws(DatabaseError) {
        inode.bind(1, entry.id)
        inode.bind(2, parent)
        try inode.bind(3, name: name)
        inode.bind(4, entry.type == .symlink ? UInt64(entry.linkTarget.count) : entry.size)
        inode.bind(5, Int64(entry.uid))
        inode.bind(6, Int64(entry.gid))
        inode.bind(7, Int64(entry.type.modeBits | UInt32(entry.permissions)))
        inode.bind(8, Self.device(entry))
        inode.bind(9, entry.ctime.seconds)
        inode.bind(10, entry.mtime.seconds)
        try inode.run()
        if entry.type == .symlink {
            extra.bind(1, entry.id)
            try extra.bind(2, bytes: entry.linkTarget)
            try extra.run()
        }
        if entry.mtime.nanoseconds != 0 || entry.ctime.nanoseconds != 0 {
            nanotime?.bind(1, entry.id)
            nanotime?.bind(2, Int64(entry.mtime.nanoseconds))
            nanotime?.bind(3, Int64(entry.ctime.nanoseconds))
            try nanotime?.run()
        }
    }

    borrowing func insertName(parent: UInt64, name: [UInt8], of id: UInt64) throws(DatabaseError) {
        hardlink?.bind(1, parent)
        try hardlink?.bind(2, name: name)
        hardlink?.bind(3, id)
        try hardlink?.run()
    }

    /// Nil for both is a hole.
    borrowing func insertBlock(to ino: UInt64, _ id: Digest?, _ key: Digest?) throws(DatabaseError) {
        block.bind(1, ino)
        try Self.bind(block, 2, id)
        try Self.bind(block, 3, key)
        try block.run()
    }

    borrowing func insertXattr(to id: UInt64, name: [UInt8], value: [UInt8]) throws(DatabaseError) {
        xattr?.bind(1, id)
        try xattr?.bind(2, name: name)
        try xattr?.bind(3, bytes: value)
        try xattr?.run()
    }

    borrowing func insertTag(_ key: String, _ value: String) throws(DatabaseError) {
        try tag.bind(1, text: key.utf8)
        try tag.bind(2, text: value.utf8)
        try tag.run()
    }

    borrowing func insertProfile(_ entries: [ProfileEntry]) throws(DatabaseError) {
        try FungiProfile.write(entries, to: database)
    }

    borrowing func insertRoute(_ image: ImageRoute) throws(DatabaseError) {
        route.bind(1, Int64(image.start))
        route.bind(2, Int64(image.end))
        try route.bind(3, text: image.url.utf8)
        try route.run()
    }

    /// Makes the indexes, gives each further name an inode of its own, and ends the transaction.
    borrowing func finish(
        copying names: [(parent: UInt64, name: [UInt8], id: UInt64)], above highest: UInt64
    ) throws(DatabaseError) {
        try database.execute(FungiSchema.indexes)
        if !names.isEmpty {
            let copyInode = try database.prepare(
                "INSERT INTO inode SELECT ?1, ?2, ?3, size, uid, gid, mode, rdev, ctime, mtime FROM inode WHERE ino = ?4"
            )
            let copyExtra = try database.prepare("INSERT INTO extra SELECT ?1, data FROM extra WHERE ino = ?2")
            let copyBlocks = try database.prepare(
                "INSERT INTO block SELECT ?1, id, key FROM block WHERE ino = ?2 ORDER BY rowid")
            var ino = highest
            for name in names {
                ino += 1
                copyInode.bind(1, ino)
                copyInode.bind(2, name.parent)
                try copyInode.bind(3, name: name.name)
                copyInode.bind(4, name.id)
                try copyInode.run()
                guard database.changes() == 1 else { throw DatabaseError("a hard link names no inode") }
                copyExtra.bind(1, ino)
                copyExtra.bind(2, name.id)
                try copyExtra.run()
                copyBlocks.bind(1, ino)
                copyBlocks.bind(2, name.id)
                try copyBlocks.run()
            }
        }
        try database.execute("COMMIT")
    }

    /// glibc's 64-bit dev_t (bits/sysmacros.h).
    private static func device(_ entry: TreeEntry) -> UInt64 {
        guard entry.type == .characterDevice || entry.type == .blockDevice else { return 0 }
        let major = UInt64(entry.major)
        let minor = UInt64(entry.minor)
        return (major & 0xfff) << 8 | (major & ~0xfff) << 32 | (minor & 0xff) | (minor & ~0xff) << 12
    }

    private static func bind(
        _ statement: borrowing Statement, _ index: Int32, _ digest: Digest?
    ) throws(DatabaseError) {
        guard let digest else { return try statement.bind(index, blob: UnsafeRawBufferPointer(start: nil, count: 0)) }
        try digest.withBytes { (bytes) throws(DatabaseError) in try statement.bind(index, blob: bytes) }
    }
}

extension Statement {
    /// A name is text when it is UTF-8, and else a blob.
    borrowing func bind(_ index: Int32, name: [UInt8]) throws(DatabaseError) {
        if String(validating: name, as: UTF8.self) != nil {
            try bind(index, text: name)
        } else {
            try bind(index, bytes: name)
        }
    }

    borrowing func bind(_ index: Int32, bytes: [UInt8]) throws(DatabaseError) {
        // The closure of withUnsafeBytes is not typed: carry the failure out.
        var failure: DatabaseError?
        bytes.withUnsafeBytes { buffer in
            do throws(DatabaseError) { try bind(index, blob: buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
