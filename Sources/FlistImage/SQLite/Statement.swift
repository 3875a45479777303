internal import CSQLite

/// A compiled statement. Columns and parameters count from 0 and 1, as SQLite's do. Not thread-safe.
struct Statement: ~Copyable {
    /// What a value is stored as.
    enum StorageClass: Int32 {
        case integer = 1
        case real, text, blob, null

        var name: String {
            switch self {
            case .integer: "an integer"
            case .real: "a real number"
            case .text: "text"
            case .blob: "a blob"
            case .null: "null"
            }
        }
    }

    private let handle: OpaquePointer

    init(handle: OpaquePointer) { self.handle = handle }

    deinit { sqlite3_finalize(handle) }

    /// Goes to the next row; false when there is none.
    borrowing func step() throws(DatabaseError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw Database.error(of: sqlite3_db_handle(handle))
        }
    }

    /// Runs a statement without rows, and makes it ready to be run again.
    borrowing func run() throws(DatabaseError) {
        _ = try step()
        reset()
    }

    /// Makes the statement ready to be run again. Parameters keep their values.
    borrowing func reset() { sqlite3_reset(handle) }

    // MARK: Parameters

    borrowing func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }

    /// Unsigned values are stored as signed ones of the same bits, as rfs does.
    borrowing func bind(_ index: Int32, _ value: UInt64) {
        sqlite3_bind_int64(handle, index, Int64(bitPattern: value))
    }

    borrowing func bind(_ index: Int32, blob: UnsafeRawBufferPointer) throws(DatabaseError) {
        guard let count = Int32(exactly: blob.count) else { throw DatabaseError("a value is too long") }
        // A null pointer would make the value null instead of empty.
        let code =
            blob.isEmpty
            ? sqlite3_bind_zeroblob(handle, index, 0) : sqlite_bind_blob_copy(handle, index, blob.baseAddress, count)
        guard code == SQLITE_OK else { throw Database.error(of: sqlite3_db_handle(handle)) }
    }

    borrowing func bind(_ index: Int32, text: some Collection<UInt8>) throws(DatabaseError) {
        guard let count = Int32(exactly: text.count) else { throw DatabaseError("a value is too long") }
        // An empty array has no address, and a null pointer would make the value null instead of empty.
        let code = (text.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            sqlite_bind_text_copy(handle, index, buffer.baseAddress, count)
        }
        guard code == SQLITE_OK else { throw Database.error(of: sqlite3_db_handle(handle)) }
    }

    // MARK: Columns

    borrowing func storageClass(_ column: Int32) -> StorageClass {
        StorageClass(rawValue: sqlite3_column_type(handle, column)) ?? .null
    }

    /// The integer of a column that must hold one.
    borrowing func integer(_ column: Int32) throws(DatabaseError) -> Int64 {
        guard sqlite3_column_type(handle, column) == SQLITE_INTEGER else { throw wrongClass(column, "an integer") }
        return sqlite3_column_int64(handle, column)
    }

    /// Lends the bytes of a column that must hold text or a blob.
    borrowing func withBytes<Result>(
        _ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(DatabaseError) -> Result {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_TEXT:
            // Converts from UTF-16 where the database is in it.
            guard let text = sqlite3_column_text(handle, column) else { throw DatabaseError("no memory for a text") }
            return body(UnsafeRawBufferPointer(start: text, count: Int(sqlite3_column_bytes(handle, column))))
        case SQLITE_BLOB: return try withBlob(column, body)
        default: throw wrongClass(column, "text or a blob")
        }
    }

    /// Lends the bytes of a column that must hold a blob.
    borrowing func withBlob<Result>(
        _ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(DatabaseError) -> Result {
        guard sqlite3_column_type(handle, column) == SQLITE_BLOB else { throw wrongClass(column, "a blob") }
        let bytes = sqlite3_column_blob(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        guard bytes != nil || count == 0 else { throw DatabaseError("no memory for a blob") }
        return body(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// The bytes of a column that must hold text or a blob.
    borrowing func bytes(_ column: Int32) throws(DatabaseError) -> [UInt8] {
        try withBytes(column) { [UInt8]($0) }
    }

    private borrowing func wrongClass(_ column: Int32, _ expected: String) -> DatabaseError {
        let name = sqlite3_column_name(handle, column).map { String(cString: $0) } ?? "?"
        return DatabaseError("column \(name) holds \(storageClass(column).name) where \(expected) belongs")
    }
}
