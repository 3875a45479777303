/// The tables of a `.fl`.
enum FungiSchema {
    /// As rfs makes them.
    static let rfs = """
        CREATE TABLE inode (ino INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, name VARCHAR(255), size INTEGER, \
        uid INTEGER, gid INTEGER, mode INTEGER, rdev INTEGER, ctime INTEGER, mtime INTEGER);
        CREATE TABLE extra (ino INTEGER PRIMARY KEY, data VARCHAR(4096));
        CREATE TABLE block (ino INTEGER, id VARCHAR(32), key VARCHAR(32));
        CREATE TABLE tag (key VARCHAR(10) PRIMARY KEY, value VARCHAR(255));
        CREATE TABLE route (start INTEGER, end INTEGER, url VARCHAR(2048));
        """

    /// What our own kind has beyond them. Columns without a type keep text as text and blobs as blobs.
    static let extensions = """
        CREATE TABLE hardlink (parent INTEGER NOT NULL, name BLOB NOT NULL, ino INTEGER NOT NULL);
        CREATE TABLE xattr (ino INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL);
        CREATE TABLE nanotime (ino INTEGER PRIMARY KEY, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL);
        """

    /// What a reader wants first, in the order of rows; only where there is something to say.
    static let profile =
        "CREATE TABLE IF NOT EXISTS profile (path BLOB NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL);"

    /// Made last: an index that grows with every row costs several times as much.
    static let indexes = """
        CREATE INDEX parents ON inode (parent);
        CREATE INDEX names ON inode (name);
        CREATE INDEX block_ino ON block (ino);
        """
}
