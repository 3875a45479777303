internal import CArchive

extension TarEntry {
    /// Turns the member's POSIX access control lists into the xattrs that Linux keeps them in.
    ///
    /// The value is little-endian: version 2 in 32 bits, then tag (16), permissions (16) and id (32) of each line,
    /// ordered by tag and id (linux/posix_acl_xattr.h, linux/posix_acl.h).
    mutating func appendACLs(_ entry: OpaquePointer) {
        let types = archive_entry_acl_types(entry)
        if types & Int32(ARCHIVE_ENTRY_ACL_TYPE_ACCESS) != 0 {
            append("system.posix_acl_access", entry, Int32(ARCHIVE_ENTRY_ACL_TYPE_ACCESS))
        }
        if types & Int32(ARCHIVE_ENTRY_ACL_TYPE_DEFAULT) != 0 {
            append("system.posix_acl_default", entry, Int32(ARCHIVE_ENTRY_ACL_TYPE_DEFAULT))
        }
        // ARCHIVE_ENTRY_ACL_TYPE_NFS4, a macro of macros.
        if types & 0x3c00 != 0 {
            losses.append("an NFSv4 access control list")
        }
    }

    private mutating func append(_ name: String, _ entry: OpaquePointer, _ type: Int32) {
        guard archive_entry_acl_reset(entry, type) > 0 else { return }
        var lines: [(tag: UInt16, permissions: UInt16, id: UInt32)] = []
        var found: Int32 = 0
        var permissions: Int32 = 0
        var tag: Int32 = 0
        var id: Int32 = 0
        var qualifier: UnsafePointer<CChar>?
        while archive_entry_acl_next(entry, type, &found, &permissions, &tag, &id, &qualifier) == ARCHIVE_OK {
            let kernelTag: UInt16
            var named = false
            switch tag {
            case Int32(ARCHIVE_ENTRY_ACL_USER_OBJ): kernelTag = 0x01
            case Int32(ARCHIVE_ENTRY_ACL_USER): (kernelTag, named) = (0x02, true)
            case Int32(ARCHIVE_ENTRY_ACL_GROUP_OBJ): kernelTag = 0x04
            case Int32(ARCHIVE_ENTRY_ACL_GROUP): (kernelTag, named) = (0x08, true)
            case Int32(ARCHIVE_ENTRY_ACL_MASK): kernelTag = 0x10
            case Int32(ARCHIVE_ENTRY_ACL_OTHER): kernelTag = 0x20
            default:
                losses.append("an access control list with lines of an unknown kind")
                return
            }
            // libarchive says -1 for a name without a number, which means nothing on this machine.
            if named, id < 0 {
                losses.append("an access control list that names users or groups without their numbers")
                return
            }
            lines.append((kernelTag, UInt16(permissions & 7), named ? UInt32(bitPattern: id) : .max))
        }
        if type == Int32(ARCHIVE_ENTRY_ACL_TYPE_ACCESS) {
            // Linux shows the mask as the group's bits (acl(5)); libarchive puts the group's own there.
            let group = lines.first { $0.tag == 0x10 } ?? lines.first { $0.tag == 0x04 }
            if let group { self.permissions = self.permissions & ~0o070 | group.permissions << 3 }
        }
        lines.sort { ($0.tag, $0.id) < ($1.tag, $1.id) }
        var value: [UInt8] = [2, 0, 0, 0]
        for line in lines {
            for number in [UInt32(line.tag) | UInt32(line.permissions) << 16, line.id] {
                value += (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32($0 * 8)) }
            }
        }
        let key = Array(name.utf8)
        xattrs.removeAll { $0.name == key }
        xattrs.append((key, value))
    }
}
