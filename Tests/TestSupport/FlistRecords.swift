/// The records of a `.flist`, as its writer lays them out.
public enum FlistRecords {
    public struct Inode: Sendable {
        public var name: [UInt8]
        public var size: UInt64 = 0
        /// Which member of the union: 0 directory, 1 file, 2 link, 3 special.
        public var tag: UInt16
        public var attributes: CapnpValue
        public var accessKey = "d7683de000c13689"
        public var modified: UInt32 = 1_600_000_000
        public var changed: UInt32 = 1_600_000_001

        public init(_ name: [UInt8], tag: UInt16, _ attributes: CapnpValue, size: UInt64 = 0) {
            self.name = name
            self.tag = tag
            self.attributes = attributes
            self.size = size
        }
    }

    public static func directory(_ name: String, key: String) -> Inode {
        Inode(Array(name.utf8), tag: 0, .structure(data: [], pointers: [.text(key)]), size: 4096)
    }

    public static func file(
        _ name: String, size: UInt64, blocks: [(hash: [UInt8], key: [UInt8])], blockSize: UInt64 = 128
    ) -> Inode {
        let list: CapnpValue =
            blocks.isEmpty
            ? .null : .structures(blocks.map { (data: [], pointers: [.bytes($0.hash), .bytes($0.key)]) })
        return Inode(Array(name.utf8), tag: 1, .structure(data: [blockSize], pointers: [list]), size: size)
    }

    public static func link(_ name: String, target: String) -> Inode {
        Inode(Array(name.utf8), tag: 2, .structure(data: [], pointers: [.text(target)]))
    }

    public static func special(_ name: String, type: UInt64, data: String) -> Inode {
        Inode(Array(name.utf8), tag: 3, .structure(data: [type], pointers: [.bytes(Array(data.utf8))]))
    }

    public static func directoryRecord(
        _ entries: [Inode], location: String = "", accessKey: String = "d7683de000c13689"
    ) -> CapnpValue {
        let contents: CapnpValue =
            entries.isEmpty
            ? .null
            : .structures(
                entries.map { entry in
                    (
                        data: [entry.size, UInt64(entry.tag) | UInt64(entry.modified) << 32, UInt64(entry.changed)],
                        pointers: [.text(entry.name), entry.attributes, .text(entry.accessKey)]
                    )
                })
        return .structure(
            data: [4096, 1_500_000_000 | 1_500_000_001 << 32],
            pointers: [
                .text(location), .text(location), contents, .text("cae66941d9efbd404e4d88758ea67670"), .text(accessKey),
            ])
    }

    public static func access(
        user: String, group: String, mode: UInt64, uid: Int64 = -1, gid: Int64 = -1
    ) -> CapnpValue {
        .structure(
            data: [mode, UInt64(bitPattern: ~uid), UInt64(bitPattern: ~gid)],
            pointers: [.text(user), .text(group), .null])
    }
}
