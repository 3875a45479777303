import FlistImage

/// A tree of directories with files of one hole each: for what looks at the index alone.
struct TestTree {
    let index: TreeIndex

    /// - Parameter paths: of the files; directories are made as they are needed.
    init(_ paths: [String], size: UInt64 = 1000) throws {
        var builder = TreeIndexBuilder(
            info: TreeIndexInfo(flistHash: .zero, kind: .zstd, codec: .gcmZstd, blockSize: 4096))
        try builder.add(TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o755))
        var directories: [String: UInt64] = ["": 1]
        var last: UInt64 = 1
        for path in paths {
            var (parent, prefix): (UInt64, String) = (1, "")
            let names = path.split(separator: "/")
            for name in names.dropLast() {
                prefix += "/\(name)"
                if let known = directories[prefix] {
                    parent = known
                    continue
                }
                last += 1
                try builder.add(
                    TreeEntry(id: last, parent: parent, name: Array(name.utf8), type: .directory, permissions: 0o755))
                directories[prefix] = last
                parent = last
            }
            last += 1
            var file = TreeEntry(
                id: last, parent: parent, name: Array((names.last ?? "").utf8), type: .regular, permissions: 0o644)
            file.size = size
            try builder.add(file)
            for _ in 0..<(size + 4095) / 4096 { try builder.addBlock(to: last, blockID: nil, key: nil) }
        }
        index = try builder.finish()
    }

    /// Files with numbered names in one directory.
    static func numbered(_ directory: String, _ count: Int) -> [String] {
        (1000..<1000 + count).map { "\(directory)/\($0)" }
    }

    func inode(_ path: String) -> InodeNumber { index.resolve(path: Array(path.utf8)) ?? 0 }
}
