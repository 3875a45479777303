internal import CSQLite
internal import Support

/// A connection to a SQLite file. Not thread-safe. Statements may outlive it.
struct Database: ~Copyable {
    let handle: OpaquePointer
    /// What is left before the connection is interrupted; nil without a bound.
    private let budget: ReadBudget?

    /// A step may copy a value of many megabytes: a thousand of them must not take minutes.
    private static let stepsPerCall: Int32 = 1_000
    /// Of all connections together: sorting some 5,000,000 blocks takes as much.
    private static let heapLimit: Int64 = 512 << 20

    private init(handle: OpaquePointer, budget: ReadBudget?) {
        self.handle = handle
        self.budget = budget
    }

    deinit { sqlite3_close_v2(handle) }

    /// Bytes that may be kept of what is read from it.
    var keptLimit: Int { budget?.kept ?? .max }

    /// Opens a stranger's database for reading: it cannot run code of its own, be written to or grow, and is
    /// interrupted when the budget is used up.
    ///
    /// The file must not change while it is open (`immutable`): no lock and no journal is looked for.
    static func openUntrusted(path: [UInt8], budget: ReadBudget) throws(DatabaseError) -> Database {
        let uri = "file:\(percentEncoded(path))?immutable=1&mode=ro"
        let database = try guarded(try open(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX), budget)
        try database.readSchema()
        return database
    }

    /// As above, for a database in memory, which must stay as it is for as long as the answer lives.
    static func openUntrusted(memory: UnsafeRawBufferPointer, budget: ReadBudget) throws(DatabaseError) -> Database {
        let database = try guarded(try open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX), budget)
        let bytes = UnsafeMutableRawPointer(mutating: memory.baseAddress)?.assumingMemoryBound(to: UInt8.self)
        let count = Int64(memory.count)
        // Read-only: SQLite neither writes to the bytes nor frees them.
        let flags = UInt32(SQLITE_DESERIALIZE_READONLY)
        guard sqlite3_deserialize(database.handle, "main", bytes, count, count, flags) == SQLITE_OK else {
            throw error(of: database.handle)
        }
        try database.readSchema()
        return database
    }

    private static func guarded(_ handle: OpaquePointer, _ budget: ReadBudget) throws(DatabaseError) -> Database {
        sqlite3_hard_heap_limit64(heapLimit)
        let database = Database(handle: handle, budget: budget)
        for (option, value) in [
            (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0), (SQLITE_DBCONFIG_ENABLE_TRIGGER, 0),
            (SQLITE_DBCONFIG_ENABLE_VIEW, 0), (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
            (SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0),
        ] {
            sqlite_db_config_flag(handle, option, Int32(value))
        }
        for (limit, value) in Self.limits { sqlite3_limit(handle, limit, value) }
        // The budget object lives as long as the connection, which the Database owns.
        sqlite3_progress_handler(
            handle, stepsPerCall,
            { context in
                guard let context else { return 1 }
                let budget = Unmanaged<ReadBudget>.fromOpaque(context).takeUnretainedValue()
                return budget.spend(Int(Database.stepsPerCall)) ? 0 : 1
            }, Unmanaged.passUnretained(budget).toOpaque())
        // No temporary files for sorting; pages that claim impossible cells are refused when they are read.
        try database.execute("PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0")
        return database
    }

    /// Directories of a `.flist` are one value each: those of 100,000 entries take some ten megabytes.
    private static let limits: [(Int32, Int32)] = [
        (SQLITE_LIMIT_LENGTH, 256 << 20), (SQLITE_LIMIT_SQL_LENGTH, 100_000), (SQLITE_LIMIT_COLUMN, 100),
        (SQLITE_LIMIT_EXPR_DEPTH, 50), (SQLITE_LIMIT_COMPOUND_SELECT, 3), (SQLITE_LIMIT_VDBE_OP, 25_000),
        (SQLITE_LIMIT_FUNCTION_ARG, 8), (SQLITE_LIMIT_ATTACHED, 0), (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
        (SQLITE_LIMIT_TRIGGER_DEPTH, 1), (SQLITE_LIMIT_WORKER_THREADS, 0),
    ]

    /// Has SQLite read the schema, all of whose texts it reads at once: sound ones are short.
    private borrowing func readSchema() throws(DatabaseError) {
        let limit = sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 64 << 10)
        defer { sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, limit) }
        _ = try prepare("SELECT 1 FROM sqlite_schema").step()
    }

    /// Opens or makes a database of our own for writing.
    static func openOwn(path: [UInt8], create: Bool) throws(DatabaseError) -> Database {
        let flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
        let handle = try open("file:\(percentEncoded(path))", flags)
        // Defensive connections may not switch the journal off, which a new file has no need of.
        sqlite_db_config_flag(handle, SQLITE_DBCONFIG_DEFENSIVE, create ? 0 : 1)
        sqlite_db_config_flag(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        sqlite_db_config_flag(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        sqlite_db_config_flag(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0)
        sqlite3_busy_timeout(handle, 5_000)
        return Database(handle: handle, budget: nil)
    }

    /// An empty database in memory, for SQLite's JSON functions.
    static func inMemory() throws(DatabaseError) -> Database {
        Database(handle: try open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX), budget: nil)
    }

    private static func open(_ uri: String, _ flags: Int32) throws(DatabaseError) -> OpaquePointer {
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(uri, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "no memory"
            sqlite3_close_v2(handle)
            throw DatabaseError(message)
        }
        sqlite3_extended_result_codes(handle, 1)
        return handle
    }

    /// Runs statements that answer nothing of interest.
    borrowing func execute(_ sql: String) throws(DatabaseError) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw lastError }
    }

    /// Compiles one statement.
    borrowing func prepare(_ sql: String) throws(DatabaseError) -> Statement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw lastError }
        return Statement(handle: statement)
    }

    /// The number of rows that the last statement changed.
    borrowing func changes() -> Int { Int(sqlite3_changes(handle)) }

    private var lastError: DatabaseError { Self.error(of: handle) }

    static func error(of handle: OpaquePointer?) -> DatabaseError {
        if sqlite3_errcode(handle) == SQLITE_INTERRUPT {
            return DatabaseError("reading it takes far more work than a sound file of its size needs")
        }
        if sqlite3_errcode(handle) == SQLITE_NOMEM {
            return DatabaseError("reading it takes more than \(ByteCount(UInt64(heapLimit))) of memory")
        }
        let message = oneLine(String(cString: sqlite3_errmsg(handle)))
        if sqlite3_errcode(handle) == SQLITE_CORRUPT {
            return DatabaseError("damaged or cut short (\(message)); fetch it again")
        }
        return DatabaseError(message)
    }

    /// Messages may quote the file: keep them on one line and short.
    private static func oneLine(_ text: String) -> String {
        String(text.unicodeScalars.prefix(200).map { $0.value < 32 || $0.value == 127 ? " " : Character($0) })
    }

    private static func percentEncoded(_ path: [UInt8]) -> String {
        var text = ""
        for byte in path {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default: text += "%" + Hex.encode(CollectionOfOne(byte))
            }
        }
        return text
    }
}
