internal import CArchive
internal import Support

/// What a `.flist` archive holds: the database, in memory, and the router description.
struct FlistArchive: ~Copyable {
    let database: MemoryFile
    let routerYAML: [UInt8]?

    static let databaseName = "flistdb.sqlite3"
    static let routerName = "router.yaml"
    /// A router description of 1 MiB would hold some 10,000 stores.
    static let maximumRouter = 1 << 20
    /// A million entries take some 300 MB.
    static let maximumDatabase: UInt64 = 8 << 30

    /// Reads an archive, writing nothing to disk whatever its members are called.
    init(_ file: consuming FileDescriptor) throws(DatabaseError) {
        let archive = try TarArchive(file, limit: .flist)
        var router: [UInt8]?
        var found: MemoryFile?
        while try archive.next() {
            guard let entry = archive.entry, let name = archive_entry_pathname(entry) else { continue }
            let path = String(cString: name)
            switch path.hasPrefix("./") ? String(path.dropFirst(2)) : path {
            case Self.databaseName:
                try Self.requireFile(entry, Self.databaseName, maximum: Self.maximumDatabase)
                if found != nil { throw DatabaseError("holds \(Self.databaseName) twice") }
                found = try Self.extract(archive)
            case Self.routerName:
                try Self.requireFile(entry, Self.routerName, maximum: UInt64(Self.maximumRouter))
                guard router == nil else { throw DatabaseError("holds \(Self.routerName) twice") }
                router = try Self.content(archive)
            default: continue
            }
        }
        guard let found else { throw DatabaseError("holds no \(Self.databaseName)") }
        database = found
        routerYAML = router
    }

    private static func requireFile(_ entry: OpaquePointer, _ name: String, maximum: UInt64) throws(DatabaseError) {
        guard archive_entry_filetype(entry) == 0o100000, archive_entry_hardlink(entry) == nil else {
            throw DatabaseError("its \(name) is not a regular file")
        }
        guard archive_entry_size(entry) >= 0, UInt64(archive_entry_size(entry)) <= maximum else {
            throw DatabaseError("its \(name) is larger than \(ByteCount(maximum))")
        }
        // A few bytes would be filled up with zeros to any size.
        guard archive_entry_sparse_count(entry) == 0 else { throw DatabaseError("its \(name) is sparse") }
    }

    private static func extract(_ archive: TarArchive) throws(DatabaseError) -> MemoryFile {
        var file = try memory()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = try archive.read(into: buffer)
            if count == 0 { break }
            // What a sparse member pretends to hold is not counted where the archive is decompressed.
            guard file.count + UInt64(count) <= ArchiveLimit.flist.output else {
                throw DatabaseError("its \(databaseName) is larger than \(ByteCount(ArchiveLimit.flist.output))")
            }
            do throws(Errno) {
                try file.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch {
                throw DatabaseError("cannot unpack \(databaseName) into memory: \(error)")
            }
        }
        do throws(Errno) { try file.seal() } catch { throw DatabaseError("cannot seal memory: \(error)") }
        return file
    }

    private static func memory() throws(DatabaseError) -> MemoryFile {
        do throws(Errno) {
            return try MemoryFile(label: databaseName)
        } catch {
            throw DatabaseError("cannot unpack \(databaseName) into memory: \(error)")
        }
    }

    private static func content(_ archive: TarArchive) throws(DatabaseError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: maximumRouter + 1, alignment: 16)
        defer { buffer.deallocate() }
        var count = 0
        while count < buffer.count {
            let more = try archive.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
            if more == 0 { break }
            count += more
        }
        guard count <= maximumRouter else { throw DatabaseError("its \(routerName) is larger than 1 MiB") }
        return [UInt8](buffer[..<count])
    }
}
