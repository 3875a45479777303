internal import Glibc
internal import Support

/// A flist's file, opened and hashed, that must stay as it is until it has been read.
struct HashedFile: ~Copyable {
    let path: String
    let source: FlistSource
    /// BLAKE2b of all its bytes.
    let hash: Digest
    private let file: FileDescriptor
    private let identity: FileIdentity

    /// Opens a file and reads it once to hash it (about 1 GB/s).
    init(_ path: String) throws(FlistError) {
        let file = try Self.openFile(path)
        let identity = try Self.identify(file, path)
        let (source, hash) = try Self.hash(file, path)
        self.path = path
        self.file = file
        self.identity = identity
        self.source = source
        self.hash = hash
    }

    private static func hash(
        _ file: borrowing FileDescriptor, _ path: String
    ) throws(FlistError) -> (FlistSource, Digest) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var hasher = BLAKE2b(.bytes32)
        var offset: UInt64 = 0
        var found: FlistSource?
        do throws(Errno) {
            while true {
                let count = try file.read(into: buffer, at: offset)
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if offset == 0 {
                    found = FlistSource(head: [UInt8](bytes.prefix(FlistSource.headLength)))
                    // A large file that is none should not be read to its end to find that out.
                    if found == nil { break }
                }
                hasher.update(bytes)
                offset += UInt64(count)
                if count < buffer.count { break }
            }
        } catch {
            throw FlistError("cannot read \(path)", errno: error)
        }
        guard let found else {
            throw FlistError(.invalid, "\(path): neither a database nor an archive: not a flist")
        }
        return (found, hasher.finalize())
    }

    private static func openFile(_ path: String) throws(FlistError) -> FileDescriptor {
        do throws(Errno) {
            // Opening a fifo would wait for a writer without O_NONBLOCK.
            return try FileDescriptor(path, O_RDONLY | O_NONBLOCK)
        } catch {
            throw FlistError("cannot open \(path)", errno: error)
        }
    }

    private static func identify(_ file: borrowing FileDescriptor, _ path: String) throws(FlistError) -> FileIdentity {
        let identity: FileIdentity
        do throws(Errno) { identity = try FileIdentity(file) } catch {
            throw FlistError("cannot read \(path)", errno: error)
        }
        guard identity.isRegular else {
            throw FlistError(.invalid, "\(path): neither a file nor a folder: not a flist")
        }
        return identity
    }

    /// Whether the file was this one, and so untouched, when it was opened and still is.
    borrowing func has(_ identity: FileIdentity) -> Bool {
        guard let now = try? FileIdentity(file) else { return false }
        return now == identity
    }

    /// Another descriptor of the file.
    borrowing func descriptor() throws(DatabaseError) -> FileDescriptor {
        do throws(Errno) { return try file.duplicate() } catch { throw DatabaseError("cannot be read: \(error)") }
    }

    /// Lends a connection to the file as a database.
    borrowing func withDatabase<Result: ~Copyable>(
        _ body: (borrowing Database) throws(FlistError) -> Result
    ) throws(FlistError) -> Result {
        try body(try openDatabase())
    }

    private borrowing func openDatabase() throws(FlistError) -> Database {
        do throws(DatabaseError) {
            // SQLite resolves links, those of /proc too, and opens the name: `requireUnchanged` sees that it is the
            // file that was hashed.
            let budget = ReadBudget(size: UInt64(max(0, identity.size)))
            return try Database.openUntrusted(path: Array(path.utf8), budget: budget)
        } catch {
            throw FlistError(.invalid, "\(path): \(error)")
        }
    }

    /// Refuses what was written to meanwhile: the hash would be another content's.
    borrowing func requireUnchanged() throws(FlistError) {
        let now: FileIdentity
        let named: FileIdentity
        do throws(Errno) {
            now = try FileIdentity(file)
            named = try FileIdentity(path: path)
        } catch {
            throw FlistError("cannot read \(path)", errno: error)
        }
        // The time of the inode's change also moves when the file is renamed or linked, which does not matter.
        guard now.size == identity.size, now.modified == identity.modified, named.device == now.device,
            named.inode == now.inode
        else {
            throw FlistError(.busy, "\(path): changed while it was read; try again when it is complete")
        }
    }
}
