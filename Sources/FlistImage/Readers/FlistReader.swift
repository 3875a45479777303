internal import Glibc
public import Support

/// Opens flists of every format: the content decides which it is, not the name.
///
/// A flist is an archive (`.flist`), the database out of one, a folder with that database and a `router.yaml`, or a
/// `.fl` of rfs or of our own. Thread-safe; blocks on the disk; writes nothing outside the index folder. Strangers'
/// files are refused whole, with one line that names the path and the fault.
public enum FlistReader {
    /// Opens a flist.
    ///
    /// - Parameters:
    ///   - path: A file or a folder.
    ///   - indexFolder: Where indexes are kept, as `<hash of the flist>.tree`, and found again without reading the
    ///     flist's entries. Nil, or a folder that cannot be written to: the index is in memory.
    /// - Throws: `notFound`, `permission` or `io` when it cannot be read, `invalid` when it breaks the rules of its
    ///   format, `unsupported` when it is of a later one, `busy` when it changes while it is read.
    public static func open(_ path: String, indexFolder: String?) throws(FlistError) -> TreeIndex {
        do throws(FlistError) {
            return try openFlist(path, indexFolder: indexFolder)
        } catch {
            // Faults of a file in a folder name that file already.
            let message = error.message.contains(path) ? error.message : "\(path): \(error.message)"
            throw FlistError(error.code, message, cause: error.cause)
        }
    }

    /// The index of a flist that was opened before; nil where the folder has none, or a damaged one.
    public static func index(of hash: Digest, in folder: String) -> TreeIndex? {
        guard let index = try? TreeIndex.open("\(folder)/\(hash).tree"), index.summary.flistHash == hash else {
            return nil
        }
        return index
    }

    private static func openFlist(_ path: String, indexFolder: String?) throws(FlistError) -> TreeIndex {
        let identity: FileIdentity
        do throws(Errno) { identity = try FileIdentity(path: path) } catch {
            throw FlistError("cannot open \(path)", errno: error)
        }
        guard identity.isDirectory else {
            if let folder = indexFolder, let hash = HashMemory.recall(identity, in: folder),
                let index = index(of: hash, in: folder)
            {
                return index
            }
            let file = try HashedFile(path)
            let index = try Self.index(of: file.hash, in: indexFolder) { () throws(FlistError) in
                let builder = try read(file)
                try file.requireUnchanged()
                return builder
            }
            if let indexFolder, file.has(identity) { HashMemory.note(file.hash, of: identity, in: indexFolder) }
            return index
        }
        let inner = "\(path)/\(FlistArchive.databaseName)"
        guard access(inner, F_OK) == 0 || Errno.current != .noEntry else {
            throw FlistError(
                .notFound,
                "\(path): a folder without \(FlistArchive.databaseName) is no flist; of a mount, name the flist it shows"
            )
        }
        let database = try HashedFile(inner)
        guard database.source == .database else { throw FlistError(.invalid, "\(database.path) is not a database") }
        let router = try routerYAML(path)
        let hash =
            router.map { BLAKE2b.hash(database.hash.bytes + BLAKE2b.hash($0, .bytes32).bytes, .bytes32) }
            ?? database.hash
        return try index(of: hash, in: indexFolder) { () throws(FlistError) in
            let builder = try database.withDatabase { (connection) throws(FlistError) in
                try RecordReader.read(connection, routerYAML: router, hash: hash)
            }
            try database.requireUnchanged()
            return builder
        }
    }

    /// Reads a file whose hash is known.
    private static func read(_ file: borrowing HashedFile) throws(FlistError) -> TreeIndexBuilder {
        let hash = file.hash
        switch file.source {
        case .database:
            return try file.withDatabase { (connection) throws(FlistError) in
                try read(connection, routerYAML: nil, hash: hash)
            }
        case .archive:
            return try read(openArchive(file), hash: hash)
        }
    }

    private static func openArchive(_ file: borrowing HashedFile) throws(FlistError) -> FlistArchive {
        do throws(DatabaseError) {
            return try FlistArchive(file.descriptor())
        } catch {
            throw FlistError(.invalid, error.description)
        }
    }

    private static func read(_ archive: borrowing FlistArchive, hash: Digest) throws(FlistError) -> TreeIndexBuilder {
        let connection = try openDatabase(archive)
        return try RecordReader.read(connection, routerYAML: archive.routerYAML, hash: hash)
    }

    /// The connection reads the archive's memory, which the caller keeps.
    private static func openDatabase(_ archive: borrowing FlistArchive) throws(FlistError) -> Database {
        do throws(DatabaseError) {
            let bytes = archive.database.bytes
            guard bytes.starts(with: Array("SQLite format 3\0".utf8)) else {
                throw DatabaseError("its \(FlistArchive.databaseName) is not a database")
            }
            return try Database.openUntrusted(memory: bytes, budget: ReadBudget(size: UInt64(bytes.count)))
        } catch {
            throw FlistError(.invalid, error.description)
        }
    }

    private static func read(
        _ database: borrowing Database, routerYAML: [UInt8]?, hash: Digest
    ) throws(FlistError) -> TreeIndexBuilder {
        let isFlist: Bool
        do throws(DatabaseError) {
            isFlist = try database.has("entries")
            let isFungi = try database.has("inode")
            guard isFlist || isFungi else {
                throw DatabaseError("a database with neither the table entries nor inode: not a flist")
            }
        } catch {
            throw FlistError(.invalid, error.description)
        }
        return isFlist
            ? try RecordReader.read(database, routerYAML: routerYAML, hash: hash)
            : try FungiReader.read(database, hash: hash)
    }

    /// Finds the index of a flist, or has it built.
    private static func index(
        of hash: Digest, in folder: String?, _ read: () throws(FlistError) -> TreeIndexBuilder
    ) throws(FlistError) -> TreeIndex {
        guard let folder else {
            return try read().finish()
        }
        let path = "\(folder)/\(hash).tree"
        // One that is damaged or of another version is built again.
        if let index = index(of: hash, in: folder) { return index }
        let builder = try read()
        do throws(FlistError) {
            try builder.finish(to: path)
            return try TreeIndex.open(path)
        } catch {
            // The cache's disk may be full, read-only or not there: the flist can be read all the same.
            if error.code == .invalid || error.code == .unsupported { throw error }
            return try read().finish()
        }
    }

    private static func routerYAML(_ folder: String) throws(FlistError) -> [UInt8]? {
        let path = "\(folder)/\(FlistArchive.routerName)"
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FlistArchive.maximumRouter + 1, alignment: 16)
        defer { buffer.deallocate() }
        let count: Int
        do throws(Errno) {
            count = try FileDescriptor(path, O_RDONLY | O_NONBLOCK).read(into: buffer, at: 0)
        } catch {
            if error == .noEntry { return nil }
            throw FlistError("cannot read \(path)", errno: error)
        }
        guard count <= FlistArchive.maximumRouter else {
            throw FlistError(.invalid, "\(path) is larger than 1 MiB")
        }
        return [UInt8](buffer[..<count])
    }
}
