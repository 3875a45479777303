/// A table of at most one row per inode, read along with the inodes in the order of their numbers.
struct SideTable: ~Copyable {
    let statement: Statement
    private let table: String
    private var current: Int64?
    private var isAtEnd = false

    /// Takes a statement whose first column is the inode's number, in ascending order.
    init(_ statement: consuming Statement, _ table: String) {
        self.statement = statement
        self.table = table
    }

    /// Goes to the row of an inode, higher than any asked for before; false when it has none.
    mutating func seek(_ ino: Int64) throws(DatabaseError) -> Bool {
        while !isAtEnd, current.map({ $0 < ino }) ?? true {
            let before = current
            isAtEnd = !(try statement.step())
            if isAtEnd { break }
            do throws(DatabaseError) {
                current = try statement.integer(0)
            } catch {
                throw DatabaseError("table \(table): \(error)")
            }
            guard current != before else { throw DatabaseError("two rows in \(table)") }
        }
        return !isAtEnd && current == ino
    }

    /// Adds the nanoseconds in columns 1 and 2 to the times of an entry.
    borrowing func nanoseconds(of entry: inout TreeEntry) throws(DatabaseError) {
        guard let modified = UInt32(exactly: try statement.integer(1)),
            let changed = UInt32(exactly: try statement.integer(2)), modified < 1_000_000_000, changed < 1_000_000_000
        else { throw DatabaseError("its nanoseconds are out of range") }
        entry.mtime.nanoseconds = modified
        entry.ctime.nanoseconds = changed
    }
}
