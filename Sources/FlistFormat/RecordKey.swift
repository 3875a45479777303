internal import Support

/// The keys under which a `.flist` keeps its records: lower-case hexadecimal digits.
public enum RecordKey {
    /// The key of the root directory.
    public static let root = directory([])

    /// The key of the directory at a path without slashes at its ends.
    public static func directory(_ path: [UInt8]) -> [UInt8] {
        Array(BLAKE2b.hash(path, .bytes16).description.utf8)
    }

    /// The key that today's writers give an access record. Readers need not compute it: entries name it.
    public static func access(_ record: AccessRecord) -> [UInt8] {
        var text = Array("user:".utf8) + record.userName
        text += Array("\ngroup:".utf8) + record.groupName
        text += Array("\nmode:0o\(String(record.mode & 0o7777, radix: 8))".utf8)
        text += Array("\nuid:\(record.uid ?? -1)\ngid:\(record.gid ?? -1)".utf8)
        return Array(Hex.encode(BLAKE2b.hash8(text)).utf8)
    }
}
