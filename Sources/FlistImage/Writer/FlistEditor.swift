internal import Glibc
public import Support

/// Lists and changes the tags, routes and profile of a `.fl`, in place. Each change is a transaction of its own.
///
/// Not thread-safe; blocks on the disk, and up to 5 seconds while another process writes.
public struct FlistEditor: ~Copyable {
    private let path: String
    private let database: Database

    /// Opens a `.fl`.
    /// - Throws: `unsupported` for a `.flist`, which has neither.
    public init(_ path: String) throws(FlistError) {
        self.path = path
        database = try Self.open(path)
    }

    private static func open(_ path: String) throws(FlistError) -> Database {
        let head: [UInt8]
        do throws(Errno) {
            head = try Self.head(path)
        } catch {
            throw FlistError("cannot open \(path)", errno: error)
        }
        switch FlistSource(head: head) {
        case .database: break
        case .archive: throw cannotEdit(path)
        case nil: throw FlistError(.invalid, "\(path): not a .fl")
        }
        do throws(DatabaseError) {
            let database = try Database.openOwn(path: Array(path.utf8), create: false)
            if try database.has("inode") {
                try database.requireTable("tag", columns: ["key", "value"])
                try database.requireTable("route", columns: ["start", "end", "url"])
                return database
            }
        } catch {
            throw FlistError(.invalid, "\(path): \(error)")
        }
        throw cannotEdit(path)
    }

    private static func cannotEdit(_ path: String) -> FlistError {
        FlistError(
            .unsupported, "\(path): a .flist has neither tags nor routes; make a .fl of it first (flist convert)")
    }

    private static func head(_ path: String) throws(Errno) -> [UInt8] {
        let file = try FileDescriptor(path, O_RDONLY | O_NONBLOCK)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FlistSource.headLength, alignment: 16)
        defer { buffer.deallocate() }
        let count = try file.read(into: buffer, at: 0)
        return [UInt8](buffer[..<count])
    }

    /// The tags, in the order in which they were set.
    public func tags() throws(FlistError) -> [(key: String, value: String)] {
        do throws(DatabaseError) { return try FungiTags.readTags(database) } catch {
            throw FlistError(.invalid, "\(path): \(error)")
        }
    }

    /// Sets a tag, in place of one of the same key.
    public func setTag(_ key: String, _ value: String) throws(FlistError) {
        try FungiTags.requireFree(key)
        try write("INSERT OR REPLACE INTO tag (key, value) VALUES (?1, ?2)") {
            (statement: borrowing Statement) throws(DatabaseError) in
            try statement.bind(1, text: key.utf8)
            try statement.bind(2, text: value.utf8)
        }
    }

    /// Deletes a tag; false when there is none.
    public func deleteTag(_ key: String) throws(FlistError) -> Bool {
        try FungiTags.requireFree(key)
        return try write("DELETE FROM tag WHERE key = ?1") {
            (statement: borrowing Statement) throws(DatabaseError) in
            try statement.bind(1, text: key.utf8)
        } > 0
    }

    /// The routes, in the order in which they were added.
    public func routes() throws(FlistError) -> [ImageRoute] {
        do throws(DatabaseError) { return try FungiTags.readRoutes(database) } catch {
            throw FlistError(.invalid, "\(path): \(error)")
        }
    }

    /// Adds a route. One that is there already is not added again.
    public func addRoute(_ route: ImageRoute) throws(FlistError) {
        try route.check()
        guard try !routes().contains(route) else { return }
        try write("INSERT INTO route (start, \"end\", url) VALUES (?1, ?2, ?3)") {
            (statement: borrowing Statement) throws(DatabaseError) in
            try Self.bind(statement, route)
        }
    }

    /// Deletes a route; false when there is none like it.
    public func deleteRoute(_ route: ImageRoute) throws(FlistError) -> Bool {
        try write("DELETE FROM route WHERE start = ?1 AND \"end\" = ?2 AND url = ?3") {
            (statement: borrowing Statement) throws(DatabaseError) in
            try Self.bind(statement, route)
        } > 0
    }

    /// Deletes every route to an address, whatever its range; answers how many there were.
    public func deleteRoutes(to url: String) throws(FlistError) -> Int {
        try write("DELETE FROM route WHERE url = ?1") { (statement: borrowing Statement) throws(DatabaseError) in
            try statement.bind(1, text: url.utf8)
        }
    }

    /// Says what a reader wants first, in place of what is said; nothing more when there are no entries.
    public func setProfile(_ entries: [ProfileEntry]) throws(FlistError) {
        try ProfileText.check(entries)
        do throws(DatabaseError) {
            try database.execute("BEGIN IMMEDIATE")
            do throws(DatabaseError) {
                if try database.has("profile") { try database.execute("DROP TABLE profile") }
                if !entries.isEmpty { try FungiProfile.write(entries, to: database) }
                try database.execute("COMMIT")
            } catch {
                try? database.execute("ROLLBACK")
                throw error
            }
        } catch {
            throw FlistError(.io, "cannot change \(path)", cause: error)
        }
    }

    private static func bind(_ statement: borrowing Statement, _ route: ImageRoute) throws(DatabaseError) {
        statement.bind(1, Int64(route.start))
        statement.bind(2, Int64(route.end))
        try statement.bind(3, text: route.url.utf8)
    }

    /// Runs one statement; answers the number of rows that it changed.
    @discardableResult
    private func write(
        _ sql: String, _ bind: (borrowing Statement) throws(DatabaseError) -> Void
    ) throws(FlistError) -> Int {
        do throws(DatabaseError) {
            let statement = try database.prepare(sql)
            try bind(statement)
            try statement.run()
            return database.changes()
        } catch {
            throw FlistError(.io, "cannot change \(path)", cause: error)
        }
    }
}
