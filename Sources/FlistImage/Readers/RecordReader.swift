internal import BlockCodec
internal import FlistFormat
internal import Support

/// Reads the database of a `.flist` into a builder, from the root directory down.
struct RecordReader: ~Copyable {
    /// A directory that an entry names and whose record is still to be read.
    private struct Pending {
        let key: [UInt8]
        let id: UInt64
        /// For messages.
        let name: [UInt8]
    }

    /// Every writer cuts files into 512 KiB, 128 of the field's units.
    static let usualBlockSize = 512 << 10
    private static let blockSizeUnit = 4096

    private let statement: Statement
    var owners = OwnerNames()
    var accesses: [[UInt8]: Access] = [:]
    private var builder: TreeIndexBuilder
    private let blockSize: Int
    private var pending: [Pending] = []
    private var visited: Set<[UInt8]> = []
    private var lastID: UInt64 = 1
    /// The block size of the first file that tells, when it is not the one assumed.
    private var otherBlockSize: Int?

    static func read(
        _ database: borrowing Database, routerYAML: [UInt8]?, hash: Digest
    ) throws(FlistError) -> TreeIndexBuilder {
        let metadata = try FlistMetadata(database)
        var blockSize = usualBlockSize
        // A builder has one block size, and which one shows only in the first file of two blocks.
        for _ in 0..<2 {
            let info = TreeIndexInfo(
                flistHash: hash, kind: .flist, codec: .xxteaSnappy, blockSize: blockSize, tags: metadata.tags,
                routerYAML: routerYAML, backend: metadata.backend)
            var reader: RecordReader
            do throws(DatabaseError) {
                try database.requireTable("entries", columns: ["key", "value"])
                reader = RecordReader(
                    try database.prepare("SELECT value FROM entries WHERE key = ?1"), info: info,
                    limit: database.keptLimit)
            } catch {
                throw FlistError(.invalid, error.description)
            }
            if let other = try reader.walk() {
                blockSize = other
            } else {
                return reader.builder
            }
        }
        throw FlistError(.unsupported, "has files of different block sizes, which this version cannot read")
    }

    private init(_ statement: consuming Statement, info: TreeIndexInfo, limit: Int) {
        self.statement = statement
        builder = TreeIndexBuilder(info: info)
        builder.limits.bytes = limit
        blockSize = info.blockSize
    }

    /// Reads every directory once. Answers the block size to begin again with, if it is another one.
    private mutating func walk() throws(FlistError) -> Int? {
        do {
            try addRoot()
            while let directory = pending.popLast() {
                guard let value = try value(directory.key) else {
                    throw DatabaseError("directory \(Self.shown(directory.name)) has no record")
                }
                try read(directory, value)
                if otherBlockSize != nil { return otherBlockSize }
            }
            return nil
        } catch let error as FlistError {
            throw error
        } catch {
            throw FlistError(.invalid, "\(error)")
        }
    }

    private mutating func addRoot() throws {
        let key = RecordKey.root
        guard let value = try value(key) else { throw DatabaseError("has no root directory") }
        let root: DirectoryRecord
        do throws(FormatError) { root = try DirectoryRecord(value) } catch {
            throw DatabaseError("the root directory: \(error)")
        }
        let access = try access(root.accessKey)
        var entry = TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: access.permissions)
        entry.uid = access.uid
        entry.gid = access.gid
        entry.mtime = Timestamp(seconds: Int64(root.modificationTime))
        entry.ctime = Timestamp(seconds: Int64(root.creationTime))
        try builder.add(entry)
        visited.insert(key)
        pending.append(Pending(key: key, id: 1, name: []))
    }

    private mutating func read(_ directory: Pending, _ value: [UInt8]) throws {
        let record: DirectoryRecord
        do throws(FormatError) { record = try DirectoryRecord(value) } catch {
            throw DatabaseError("directory \(Self.shown(directory.name)): \(error)")
        }
        for index in 0..<record.count {
            var name: [UInt8] = []
            do {
                let inode = try record.entry(index)
                name = inode.name
                let access = try access(inode.accessKey)
                lastID += 1
                var entry = TreeEntry(
                    id: lastID, parent: directory.id, name: name, type: .directory, permissions: access.permissions)
                entry.uid = access.uid
                entry.gid = access.gid
                entry.mtime = Timestamp(seconds: Int64(inode.modificationTime))
                entry.ctime = Timestamp(seconds: Int64(inode.creationTime))
                entry.size = inode.size
                switch inode.content {
                case .directory(let key):
                    guard visited.insert(key).inserted else {
                        throw DatabaseError("leads to a directory that is in the tree already")
                    }
                    pending.append(Pending(key: key, id: lastID, name: name))
                case .file(let file):
                    entry.type = .regular
                    try addBlocks(of: file, size: inode.size)
                case .link(let target):
                    entry.type = .symlink
                    entry.linkTarget = target
                case .special(let special): try Self.apply(special, to: &entry)
                }
                if otherBlockSize != nil { return }
                try builder.add(entry)
            } catch let error as FlistError {
                throw error
            } catch {
                let parent = directory.name.isEmpty ? "the root" : "directory \(Self.shown(directory.name))"
                throw DatabaseError("entry \(Self.shown(name)) of \(parent): \(error)")
            }
        }
    }

    /// Adds the blocks of the file `lastID`.
    private mutating func addBlocks(of file: FileRecord, size: UInt64) throws {
        if file.count > 1 || (file.count == 1 && size > UInt64(blockSize)) {
            let size = Int(file.blockSize) * Self.blockSizeUnit
            if size != blockSize {
                guard size > 0, blockSize == Self.usualBlockSize else {
                    throw DatabaseError("its blocks of \(size) bytes are not the size of those before")
                }
                otherBlockSize = size
                return
            }
        }
        for index in 0..<file.count {
            let block = try file.block(index)
            guard block.hash.count == 16, block.key.count == 16, let id = Digest(Array(block.hash)),
                let key = Digest(Array(block.key))
            else { throw DatabaseError("block \(index) has names that are not 16 bytes") }
            try builder.addBlock(to: lastID, blockID: id, key: key)
        }
    }

    private static func apply(_ special: Special, to entry: inout TreeEntry) throws(DatabaseError) {
        entry.size = 0
        switch special.meaning {
        case .characterDevice(let major, let minor):
            entry.type = .characterDevice
            entry.major = major
            entry.minor = minor
        case .blockDevice(let major, let minor):
            entry.type = .blockDevice
            entry.major = major
            entry.minor = minor
        case .fifo: entry.type = .fifo
        case .socket: entry.type = .socket
        case nil: throw DatabaseError("a device without numbers")
        }
    }

    /// The value of an `entries` row; nil when there is none.
    func value(_ key: [UInt8]) throws(DatabaseError) -> [UInt8]? {
        statement.reset()
        try statement.bind(1, text: key)
        do throws(DatabaseError) {
            guard try statement.step() else { return nil }
            return try statement.withBlob(0) { [UInt8]($0) }
        } catch {
            throw DatabaseError("table entries, key \(Self.shown(key)): \(error)")
        }
    }

    static func shown(_ name: [UInt8]) -> String { "\"\(EscapedBytes.render(name))\"" }
}
