/// Who owns an entry of a `.flist`, and its permissions (schema `ACI`).
public struct AccessRecord: Equatable, Sendable {
    /// The owner's name, or number in decimal digits when the writer found no name.
    public let userName: [UInt8]
    public let groupName: [UInt8]
    /// Permissions; some writers put the file's type in as well.
    public let mode: UInt16
    /// Nil when only the name is known.
    public let uid: Int64?
    public let gid: Int64?

    /// Reads the value of an `entries` row.
    public init(_ bytes: [UInt8]) throws(FormatError) {
        let root = try CapnpMessage(bytes).root()
        userName = Array(try root.text(0))
        groupName = Array(try root.text(1))
        mode = root.integer(at: 0, as: UInt16.self)
        // The fields' default is -1, and Cap'n Proto stores the exclusive or with the default.
        let uid = ~Int64(bitPattern: root.integer(at: 8, as: UInt64.self))
        let gid = ~Int64(bitPattern: root.integer(at: 16, as: UInt64.self))
        self.uid = uid == -1 ? nil : uid
        self.gid = gid == -1 ? nil : gid
    }

    public init(userName: [UInt8], groupName: [UInt8], mode: UInt16, uid: Int64?, gid: Int64?) {
        self.userName = userName
        self.groupName = groupName
        self.mode = mode
        self.uid = uid
        self.gid = gid
    }
}
