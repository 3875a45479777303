/// An entry of a directory of a `.flist` (schema `Inode`).
public struct InodeRecord {
    /// What the entry is, told by the union alone.
    public enum Content {
        /// The key of the directory's own record.
        case directory(key: [UInt8])
        case file(FileRecord)
        /// The target's bytes.
        case link(target: [UInt8])
        case special(Special)
    }

    public let name: [UInt8]
    /// Bytes, for a file.
    public let size: UInt64
    public let content: Content
    /// The key of the access record.
    public let accessKey: [UInt8]
    /// Seconds since 1970.
    public let modificationTime: UInt32
    /// Seconds since 1970 of the last change of the inode, in spite of the schema's name.
    public let creationTime: UInt32

    init(_ record: CapnpStruct) throws(FormatError) {
        name = Array(try record.text(0))
        size = record.integer(at: 0, as: UInt64.self)
        let attributes = try record.structure(1)
        switch record.integer(at: 8, as: UInt16.self) {
        case 0: content = .directory(key: Array(try attributes.text(0)))
        case 1: content = .file(try FileRecord(attributes))
        case 2: content = .link(target: Array(try attributes.text(0)))
        case 3: content = .special(try Special(attributes))
        case let tag: throw .badRecord("entry of unknown kind \(tag)")
        }
        accessKey = Array(try record.text(2))
        modificationTime = record.integer(at: 12, as: UInt32.self)
        creationTime = record.integer(at: 16, as: UInt32.self)
    }
}

/// The blocks of a file of a `.flist` (schema `File`).
public struct FileRecord {
    /// One block's names, each of 16 bytes when the flist is sound.
    public struct Block: Equatable {
        /// BLAKE2b of the stored bytes.
        public let hash: ArraySlice<UInt8>
        /// BLAKE2b of the plain bytes.
        public let key: ArraySlice<UInt8>
    }

    /// In units of 4096 bytes.
    public let blockSize: UInt16
    private let blocks: CapnpStructList

    init(_ record: CapnpStruct) throws(FormatError) {
        blockSize = record.integer(at: 0, as: UInt16.self)
        blocks = try record.structures(0)
    }

    /// The number of blocks.
    public var count: Int { blocks.count }

    /// The block at `index`, in file order.
    public func block(_ index: Int) throws(FormatError) -> Block {
        guard let element = try blocks.element(index) else { throw .badRecord("has no block \(index)") }
        return Block(hash: try element.data(0), key: try element.data(1))
    }
}
