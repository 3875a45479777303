internal import FlistFormat

extension RecordReader {
    /// Owner and permissions of an entry.
    struct Access {
        var uid: UInt32
        var gid: UInt32
        var permissions: UInt16

        /// What 0-fs gives an entry whose access record is not there. (rfs v1 gives 0, 0 and 0444.)
        static let missing = Access(uid: 1000, gid: 1000, permissions: 0o400)
    }

    /// The access record under a key; each is read once.
    mutating func access(_ key: [UInt8]) throws(DatabaseError) -> Access {
        if let known = accesses[key] { return known }
        var access = Access.missing
        if !key.isEmpty, let value = try value(key) {
            do throws(FormatError) {
                let record = try AccessRecord(value)
                guard let uid = UInt32(exactly: record.uid ?? 0), let gid = UInt32(exactly: record.gid ?? 0) else {
                    throw .badRecord("its owner's number is out of range")
                }
                access = Access(
                    uid: record.uid == nil ? owners.uid(record.userName) : uid,
                    gid: record.gid == nil ? owners.gid(record.groupName) : gid,
                    // The older writer stores the type too; both readers in the field drop setuid, setgid and sticky.
                    permissions: record.mode & 0o7777)
            } catch {
                throw DatabaseError("access record \(Self.shown(key)): \(error)")
            }
        }
        accesses[key] = access
        return access
    }
}
