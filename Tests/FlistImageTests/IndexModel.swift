import BlockCodec
import FlistImage
import Support
import TestSupport

/// A tree in plain dictionaries: what an index built of it must answer.
struct IndexModel {
    static let blockSize = 4096

    var entries: [UInt64: TreeEntry] = [:]
    /// Names of each directory, and the ids they stand for.
    var children: [UInt64: [[UInt8]: UInt64]] = [:]
    /// First names, to tell further ones from them.
    var furtherNames: [(parent: UInt64, name: [UInt8], id: UInt64)] = []
    /// `nil` for a hole.
    var blocks: [UInt64: [(id: Digest, key: Digest)?]] = [:]
    var xattrs: [UInt64: [[UInt8]: [UInt8]]] = [:]
    let root: UInt64

    static func info(kind: FlistKind = .zstd) -> TreeIndexInfo {
        TreeIndexInfo(
            flistHash: BLAKE2b.hash(Array("a flist".utf8), .bytes32), kind: kind,
            codec: kind == .flist ? .xxteaSnappy : .gcmZstd, blockSize: blockSize)
    }

    /// A random tree; ids are dense from 1, or scattered over all 64 bits.
    init(entries count: Int, seed: UInt64, scattered: Bool) {
        var random = SeededGenerator(seed: seed)
        func newID(_ position: Int) -> UInt64 {
            scattered ? UInt64(position) &* 0x9e37_79b9_7f4a_7c15 : UInt64(position)
        }
        root = newID(1)
        entries[root] = TreeEntry(id: root, parent: root, name: [], type: .directory, permissions: 0o755)
        children[root] = [:]
        var directories = [root]
        var linkable: [UInt64] = []
        var position = 1
        while position < count {
            position += 1
            let parent = directories[Int.random(in: 0..<directories.count, using: &random)]
            let name = Self.name(&random, taken: children[parent, default: [:]])
            if !linkable.isEmpty, Int.random(in: 0..<20, using: &random) == 0 {
                let id = linkable[Int.random(in: 0..<linkable.count, using: &random)]
                children[parent, default: [:]][name] = id
                furtherNames.append((parent, name, id))
                continue
            }
            let id = newID(position)
            let entry = Self.entry(id: id, parent: parent, name: name, &random)
            entries[id] = entry
            children[parent, default: [:]][name] = id
            switch entry.type {
            case .directory:
                directories.append(id)
                children[id] = [:]
            case .regular:
                linkable.append(id)
                blocks[id] = Self.blocks(size: entry.size, &random)
            default: linkable.append(id)
            }
            if Int.random(in: 0..<4, using: &random) == 0 { xattrs[id] = Self.xattrs(&random) }
        }
    }

    private static func name(_ random: inout SeededGenerator, taken: [[UInt8]: UInt64]) -> [UInt8] {
        while true {
            // Few different bytes make long common beginnings; names of all lengths, with bytes that are no UTF-8.
            let alphabet: [UInt8] = [0x61, 0x62, 0x2e, 0x01, 0xff, 0x80]
            let length = Int.random(in: 1...(Int.random(in: 0..<50, using: &random) == 0 ? 255 : 12), using: &random)
            let name = (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            if taken[name] == nil, name != [0x2e], name != [0x2e, 0x2e] { return name }
        }
    }

    private static func entry(
        id: UInt64, parent: UInt64, name: [UInt8], _ random: inout SeededGenerator
    ) -> TreeEntry {
        let weighted: [FileType] =
            [.directory, .directory, .symlink, .characterDevice, .blockDevice, .fifo, .socket]
            + Array(repeating: .regular, count: 7)
        let type = weighted[Int.random(in: 0..<weighted.count, using: &random)]
        var entry = TreeEntry(
            id: id, parent: parent, name: name, type: type, permissions: .random(in: 0...0o7777, using: &random))
        entry.uid = .random(in: 0...UInt32.max, using: &random)
        entry.gid = .random(in: 0...UInt32.max, using: &random)
        entry.mtime = Timestamp(
            seconds: .random(in: Int64.min...Int64.max, using: &random),
            nanoseconds: .random(in: 0..<1_000_000_000, using: &random))
        entry.ctime = Timestamp(
            seconds: .random(in: -10...10, using: &random), nanoseconds: .random(in: 0..<1_000_000_000, using: &random))
        switch type {
        case .regular: entry.size = .random(in: 0..<UInt64(blockSize * 5), using: &random)
        case .directory: entry.size = Bool.random(using: &random) ? 0 : 12_288
        case .symlink:
            entry.linkTarget = (0..<Int.random(in: 1...80, using: &random)).map { _ in
                .random(in: 1...255, using: &random)
            }
        case .characterDevice, .blockDevice:
            entry.major = .random(in: 0..<4096, using: &random)
            entry.minor = .random(in: 0..<1 << 20, using: &random)
        case .fifo, .socket: break
        }
        return entry
    }

    private static func blocks(size: UInt64, _ random: inout SeededGenerator) -> [(id: Digest, key: Digest)?] {
        (0..<(Int(size) + blockSize - 1) / blockSize).map { _ in
            if Int.random(in: 0..<4, using: &random) == 0 { return nil }
            let bytes = (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
            return (BLAKE2b.hash(bytes, .bytes32), BLAKE2b.hash(bytes + [0], .bytes32))
        }
    }

    private static func xattrs(_ random: inout SeededGenerator) -> [[UInt8]: [UInt8]] {
        let names = ["user.a", "user.ab", "security.capability", "system.posix_acl_access", "trusted.overlay.opaque"]
        var result: [[UInt8]: [UInt8]] = [:]
        for name in names where Bool.random(using: &random) {
            result[Array(name.utf8)] = Array(repeating: 7, count: .random(in: 0...3, using: &random))
        }
        return result
    }

    /// Fills a builder in an order that has nothing to do with the tree's.
    func builder(seed: UInt64) throws -> TreeIndexBuilder {
        var random = SeededGenerator(seed: seed)
        var builder = TreeIndexBuilder(info: Self.info())
        for (id, blocks) in blocks {
            for block in blocks { try builder.addBlock(to: id, blockID: block?.id, key: block?.key) }
        }
        for name in furtherNames { try builder.addName(parent: name.parent, name: name.name, of: name.id) }
        for entry in entries.values.shuffled(using: &random) { try builder.add(entry) }
        for (id, xattrs) in xattrs {
            for (name, value) in xattrs { try builder.addXattr(to: id, name: name, value: value) }
        }
        return builder
    }
}
