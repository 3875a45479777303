internal import BlockCodec
internal import Support

/// What the tags and routes of a `.fl` say. `fungi` is the name that rfs gives the format in its source.
struct FungiTags {
    /// Tags that tell our format from that of rfs.
    enum Key {
        static let format = "format"
        static let codec = "codec"
        static let blockSize = "block-size"
    }
    static let format = "flist/2"
    /// rfs cuts files into blocks of 512 KiB, and ignores every tag.
    static let rfsBlockSize = 512 << 10
    /// Bounds for lists that are kept in memory as they are.
    static let maximumRows = 10_000
    static let maximumBytes = 4 << 20

    let kind: FlistKind
    let blockSize: Int
    let tags: [(key: String, value: String)]
    let routes: [ImageRoute]

    init(_ database: borrowing Database) throws(FlistError) {
        do throws(DatabaseError) {
            tags = try Self.readTags(database)
            routes = try Self.readRoutes(database)
        } catch {
            throw FlistError(.invalid, error.description)
        }
        let format = try Self.only(Key.format, tags)
        let codec = try Self.only(Key.codec, tags)
        let blockSize = try Self.only(Key.blockSize, tags)
        if let format, format != Self.format {
            throw FlistError(
                .unsupported,
                "is of the format \(EscapedBytes.render(Array(format.utf8))), which this version cannot read")
        }
        switch codec {
        case nil, "snappy":
            kind = .rfs
            self.blockSize = Self.rfsBlockSize
        case "zstd" where format != nil:
            kind = .zstd
            guard let blockSize, let number = Int(blockSize), number >= 4096, number <= 64 << 20, number % 4096 == 0
            else {
                throw FlistError(.invalid, "has no tag block-size with a multiple of 4096 from 4096 to 67108864")
            }
            self.blockSize = number
        case let codec?:
            let shown = EscapedBytes.render(Array(codec.utf8))
            throw FlistError(.unsupported, "has blocks of the codec \(shown), which this version cannot read")
        }
    }

    /// Refuses tags that tell how the file is to be read.
    static func requireFree(_ key: String) throws(FlistError) {
        guard ![Key.format, Key.codec, Key.blockSize].contains(key) else {
            throw FlistError(.usage, "the tag \(key) says how the flist is to be read and cannot be set or deleted")
        }
    }

    private static func only(
        _ key: String, _ tags: [(key: String, value: String)]
    ) throws(FlistError) -> String? {
        let values = tags.filter { $0.key == key }
        guard values.count <= 1 else { throw FlistError(.invalid, "has the tag \(key) more than once") }
        return values.first?.value
    }

    static func readTags(_ database: borrowing Database) throws(DatabaseError) -> [(key: String, value: String)] {
        guard try database.has("tag") else { return [] }
        try database.requireTable("tag", columns: ["key", "value"])
        return try readPairs(database, "SELECT key, value FROM tag", table: "tag")
    }

    /// Reads a table of two columns of text.
    static func readPairs(
        _ database: borrowing Database, _ sql: String, table: String
    ) throws(DatabaseError) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        var size = 0
        let statement = try database.prepare(sql)
        while try statement.step() {
            do throws(DatabaseError) {
                let pair = (key: try statement.string(0), value: try statement.string(1))
                size += pair.key.utf8.count + pair.value.utf8.count
                pairs.append(pair)
            } catch {
                throw DatabaseError("table \(table), row \(pairs.count + 1): \(error)")
            }
            guard pairs.count <= maximumRows, size <= maximumBytes else {
                throw DatabaseError("table \(table) has more than \(maximumRows) rows or \(maximumBytes) bytes")
            }
        }
        return pairs
    }

    static func readRoutes(_ database: borrowing Database) throws(DatabaseError) -> [ImageRoute] {
        guard try database.has("route") else { return [] }
        try database.requireTable("route", columns: ["start", "end", "url"])
        var routes: [ImageRoute] = []
        let statement = try database.prepare("SELECT start, \"end\", url FROM route")
        while try statement.step() {
            do throws(DatabaseError) {
                guard let start = UInt8(exactly: try statement.integer(0)),
                    let end = UInt8(exactly: try statement.integer(1)), start <= end
                else { throw DatabaseError("its range is not one of 0 to 255") }
                let url = try statement.string(2)
                guard url.utf8.count <= ImageRoute.maximumLength else {
                    throw DatabaseError("its address is longer than \(ImageRoute.maximumLength) bytes")
                }
                routes.append(ImageRoute(start: start, end: end, url: url))
            } catch {
                throw DatabaseError("table route, row \(routes.count + 1): \(error)")
            }
            guard routes.count <= maximumRows else {
                throw DatabaseError("table route has more than \(maximumRows) rows")
            }
        }
        return routes
    }
}

extension Statement {
    /// The text of a column, which must be UTF-8 without NUL.
    borrowing func string(_ column: Int32) throws(DatabaseError) -> String {
        guard storageClass(column) == .text else {
            throw DatabaseError("a value is \(storageClass(column).name), not text")
        }
        let bytes = try bytes(column)
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw DatabaseError("a text is not UTF-8")
        }
        return text
    }
}
