internal import FlistImage
internal import Support
internal import ProgramSupport

/// One entry of a flist as JSON.
enum EntryJSON {
    static func object(_ number: InodeNumber, in index: TreeIndex, xattrs: Bool = false) -> JSONValue {
        guard let attributes = index.attributes(of: number) else { return .null }
        var members = JSONValue.name("path", index.path(of: number))
        members += [
            ("type", .string(name(attributes.type))), ("mode", .string(octal(attributes.permissions))),
            ("inode", .unsigned(UInt64(attributes.number))), ("links", .unsigned(UInt64(attributes.nlink))),
            ("uid", .unsigned(UInt64(attributes.uid))), ("gid", .unsigned(UInt64(attributes.gid))),
            ("size", .unsigned(attributes.size)), ("mtime", time(attributes.mtime)),
            ("ctime", time(attributes.ctime)),
        ]
        if attributes.type == .characterDevice || attributes.type == .blockDevice {
            members.append(("major", .unsigned(UInt64(attributes.major))))
            members.append(("minor", .unsigned(UInt64(attributes.minor))))
        }
        if let target = index.linkTarget(of: number) { members += JSONValue.name("target", target) }
        if attributes.isWithoutBlocks { members.append(("without_blocks", .bool(true))) }
        if xattrs {
            if let blocks = index.blocks(of: number) { members.append(("blocks", .integer(Int64(blocks.count)))) }
            members.append(
                (
                    "xattrs",
                    .array(
                        index.xattrs(of: number).map { name, value in
                            .object(JSONValue.name("name", [UInt8](name)) + JSONValue.name("value", [UInt8](value)))
                        })
                ))
        }
        return .object(members)
    }

    static func name(_ type: FileType) -> String {
        switch type {
        case .regular: "file"
        case .directory: "directory"
        case .symlink: "symlink"
        case .characterDevice: "character_device"
        case .blockDevice: "block_device"
        case .fifo: "fifo"
        case .socket: "socket"
        }
    }

    static func octal(_ permissions: UInt16) -> String {
        let digits = String(permissions, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }

    /// Seconds, with nanoseconds as a number of their own: a fraction would lose digits.
    private static func time(_ time: Timestamp) -> JSONValue {
        .object([("seconds", .integer(time.seconds)), ("nanoseconds", .unsigned(UInt64(time.nanoseconds)))])
    }
}
