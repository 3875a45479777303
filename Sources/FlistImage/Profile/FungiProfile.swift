internal import Support

/// The table `profile` of a `.fl`: paths and ranges, in the order of rows.
enum FungiProfile {
    /// Reads the table; empty when there is none.
    static func read(_ database: borrowing Database) throws -> [ProfileEntry] {
        guard try database.has("profile") else { return [] }
        try database.requireTable("profile", columns: ["path", "offset", "length"])
        var entries: [ProfileEntry] = []
        let rows = try database.prepare(
            "SELECT path, offset, length FROM profile ORDER BY rowid LIMIT \(ProfileText.maximumEntries + 1)")
        while try rows.step() {
            guard let offset = UInt64(exactly: try rows.integer(1)), let length = UInt64(exactly: try rows.integer(2))
            else { throw DatabaseError("table profile has a negative number") }
            // Before it is kept: a file may hold one long value for all of them.
            guard let path = try rows.withBytes(0, { $0.count <= ProfileText.maximumPath ? [UInt8]($0) : nil }) else {
                throw DatabaseError("table profile has a path that is too long")
            }
            entries.append(ProfileEntry(path: path, offset: offset, length: length))
        }
        try ProfileText.check(entries)
        return entries
    }

    /// Makes the table where it is missing, and adds rows.
    static func write(_ entries: [ProfileEntry], to database: borrowing Database) throws(DatabaseError) {
        try database.execute(FungiSchema.profile)
        let row = try database.prepare("INSERT INTO profile VALUES (?1, ?2, ?3)")
        for entry in entries {
            try row.bind(1, name: entry.path)
            row.bind(2, entry.offset)
            row.bind(3, entry.length)
            try row.run()
        }
    }
}
