/// A directory of a `.flist`, with the entries in it (schema `Dir`).
///
/// Names and paths are bytes. Not thread-safe.
public struct DirectoryRecord {
    public let name: [UInt8]
    /// The directory's path from the root, without slashes at its ends.
    public let location: [UInt8]
    /// The key of the directory that holds this one; the root's is its own.
    public let parent: [UInt8]
    /// The key of the access record.
    public let accessKey: [UInt8]
    /// Seconds since 1970.
    public let modificationTime: UInt32
    /// Seconds since 1970 of the last change of the inode, in spite of the schema's name.
    public let creationTime: UInt32
    private let contents: CapnpStructList

    /// Reads the value of an `entries` row.
    public init(_ bytes: [UInt8]) throws(FormatError) {
        let root = try CapnpMessage(bytes).root()
        name = Array(try root.text(0))
        location = Array(try root.text(1))
        contents = try root.structures(2)
        parent = Array(try root.text(3))
        accessKey = Array(try root.text(4))
        modificationTime = root.integer(at: 8, as: UInt32.self)
        creationTime = root.integer(at: 12, as: UInt32.self)
    }

    /// The number of entries.
    public var count: Int { contents.count }

    /// The entry at `index`, in the order of the record.
    public func entry(_ index: Int) throws(FormatError) -> InodeRecord {
        guard let element = try contents.element(index) else { throw .badRecord("has no entry \(index)") }
        return try InodeRecord(element)
    }
}
