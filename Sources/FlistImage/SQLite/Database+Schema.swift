extension Database {
    /// Whether there is something called `name`: SQLite's names do not tell upper from lower case.
    borrowing func has(_ name: String) throws(DatabaseError) -> Bool {
        let statement = try prepare(
            "SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')")
        try statement.bind(1, text: name.utf8)
        return try statement.step()
    }

    /// Checks that a table is one with rows of its own and has the columns, none of them computed when it is read.
    ///
    /// Views, virtual tables and generated columns would let a stranger's file run queries of its own.
    borrowing func requireTable(_ name: String, columns: [String]) throws(DatabaseError) {
        let schema = try prepare(
            "SELECT type, sql FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')")
        try schema.bind(1, text: name.utf8)
        guard try schema.step() else { throw DatabaseError("has no table \(name)") }
        guard try schema.bytes(0) == Array("table".utf8) else {
            throw DatabaseError("\(name) is not a table but a view")
        }
        let words = try schema.bytes(1).split { !Self.isWord($0) }.prefix(4)
        if words.contains(where: { Self.lowercased($0) == Array("virtual".utf8) }) {
            throw DatabaseError("\(name) is not a table but a virtual one")
        }
        var missing = columns
        // The names are our own; a function of this name could be hidden behind a table of the file's.
        let info = try prepare("PRAGMA main.table_xinfo(\(name))")
        while try info.step() {
            let column = Self.lowercased(try info.bytes(1))
            if try info.integer(6) != 0 { throw DatabaseError("table \(name) computes its columns") }
            missing.removeAll { Array($0.utf8) == column }
        }
        if let column = missing.first { throw DatabaseError("table \(name) has no column \(column)") }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
            || byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") || byte == UInt8(ascii: "_") || byte >= 128
    }

    private static func lowercased(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 32 : $0 }
    }
}
