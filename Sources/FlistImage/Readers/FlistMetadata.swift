internal import Support

/// The `metadata` table of a `.flist`: the backend, and everything else as tags.
struct FlistMetadata {
    var tags: [(key: String, value: String)] = []
    var backend: ImageBackend?

    init(_ database: borrowing Database) throws(FlistError) {
        do throws(DatabaseError) {
            // Older files have no such table.
            guard try database.has("metadata") else { return }
            try database.requireTable("metadata", columns: ["key", "value"])
            for pair in try FungiTags.readPairs(database, "SELECT key, value FROM metadata", table: "metadata") {
                guard pair.key == "backend" else {
                    tags.append(pair)
                    continue
                }
                guard backend == nil else { throw DatabaseError("table metadata has two backends") }
                do throws(DatabaseError) {
                    backend = try ImageBackend(json: pair.value)
                } catch {
                    throw DatabaseError("table metadata, backend: \(error)")
                }
            }
        } catch {
            throw FlistError(.invalid, error.description)
        }
    }
}

extension ImageBackend {
    /// Reads the JSON object of the `backend` record by SQLite's own JSON functions. Nil for `null` and `{}`.
    init?(json: String) throws(DatabaseError) {
        guard json.utf8.count <= 64 << 10 else { throw DatabaseError("longer than 64 KiB") }
        // SQLite's functions would cut the text there.
        guard !json.contains("\\u0000") else { throw DatabaseError("a text with a NUL") }
        let database = try Database.inMemory()
        let shape = try database.prepare(
            "SELECT CASE WHEN json_valid(?1) THEN json_type(?1) ELSE 'nothing' END, "
                + "CASE WHEN json_valid(?1) THEN (SELECT count(*) FROM json_each(?1)) ELSE 0 END")
        try shape.bind(1, text: json.utf8)
        guard try shape.step() else { return nil }
        let kind = try shape.string(0)
        if kind == "null" { return nil }
        guard kind == "object" else { throw DatabaseError("not a JSON object") }
        if try shape.integer(1) == 0 { return nil }

        let field = try database.prepare("SELECT json_extract(?1, '$.' || ?2)")
        func text(_ name: String) throws(DatabaseError) -> String? {
            field.reset()
            try field.bind(1, text: json.utf8)
            try field.bind(2, text: name.utf8)
            guard try field.step() else { return nil }
            switch field.storageClass(0) {
            case .null: return nil
            case .text: return try field.string(0)
            case .integer: return String(try field.integer(0))
            case .real, .blob: throw DatabaseError("\(name) is not text")
            }
        }
        let socket = try text("socket")
        let host = try text("host") ?? ""
        let port = try text("port")
        // Either is enough to reach a server.
        guard !host.isEmpty || socket?.isEmpty == false else { throw DatabaseError("names no host") }
        guard let number = UInt16(port ?? (socket == nil ? "" : "0")), number > 0 || socket != nil else {
            throw DatabaseError("its port is not a number from 1 to 65535")
        }
        self.init(
            host: host, port: number, namespace: try text("namespace"), password: try text("password"), socket: socket,
            token: try text("token"))
    }
}
