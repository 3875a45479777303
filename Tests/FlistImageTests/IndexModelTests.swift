import BlockCodec
import FlistImage
import Support
import Testing

@Suite("Tree index against a model")
struct IndexModelTests {
    @Test("answers as plain dictionaries do", arguments: [(UInt64(1), false), (2, true), (3, false)])
    func model(seed: UInt64, scattered: Bool) throws {
        let model = IndexModel(entries: 10_000, seed: seed, scattered: scattered)
        let index = try model.builder(seed: seed + 100).finish()
        var checker = Checker(model: model, index: index)
        checker.check(directory: model.root, number: TreeIndex.root)
        #expect(checker.problems.prefix(5) == [])
        #expect(checker.visited == 10_000)
        #expect(index.summary.entries == 10_000)
        #expect(index.attributes(of: 0) == nil)
        #expect(index.attributes(of: 10_001) == nil)
        #expect(index.lastNumber == 10_000)
    }

    @Test("counts what the model holds")
    func summary() throws {
        let model = IndexModel(entries: 5_000, seed: 4, scattered: false)
        let summary = try model.builder(seed: 5).finish().summary
        let types = Dictionary(grouping: model.entries.values, by: \.type).mapValues(\.count)
        let sizes = model.entries.values.filter { $0.type == .regular }.map(\.size)
        #expect(summary.inodes == model.entries.count)
        #expect(summary.hardLinkNames == model.furtherNames.count)
        #expect(summary.files == types[.regular])
        #expect(summary.directories == types[.directory])
        #expect(summary.symlinks == types[.symlink])
        #expect(
            summary.specials
                == [.characterDevice, .blockDevice, .fifo, .socket].map { types[$0, default: 0] }.reduce(0, +))
        #expect(summary.blockReferences == model.blocks.values.map(\.count).reduce(0, +))
        #expect(summary.totalSize == sizes.reduce(0, +))
        #expect(summary.largestFile == sizes.max())
        #expect(summary.xattrs == model.xattrs.values.map(\.count).reduce(0, +))
        #expect(summary.hasACLs)
        #expect(summary.filesWithoutBlocks == 0)
        let held = model.blocks.keys.map { Checker.held(model, $0) }.reduce(0, +)
        #expect(summary.storedPlainSize == held)
    }
}

/// Walks an index and a model side by side and notes every difference.
private struct Checker {
    let model: IndexModel
    let index: TreeIndex
    var problems: [String] = []
    var visited = 1
    /// Numbers by source id: all names of a hard link must agree.
    var numbers: [UInt64: InodeNumber] = [:]
    let names: [UInt64: Int]

    init(model: IndexModel, index: TreeIndex) {
        self.model = model
        self.index = index
        names = Dictionary(grouping: model.furtherNames, by: \.id).mapValues(\.count)
    }

    mutating func expect(_ condition: Bool, _ what: String) {
        if !condition { problems.append(what) }
    }

    mutating func check(directory id: UInt64, number: InodeNumber) {
        checkInode(id, number)
        let expected = model.children[id, default: [:]]
        let sorted = expected.keys.sorted { $0.lexicographicallyPrecedes($1) }
        guard let range = index.children(of: number) else { return problems.append("\(id) is no directory") }
        expect(range.map { index.name(of: $0) } == sorted, "\(id): names and their order")
        for child in range {
            visited += 1
            let name = index.name(of: child)
            guard let childID = expected[name] else { continue }
            expect(index.lookup(name, in: number) == child, "\(id): lookup of \(name)")
            let longer = name + [0x61]
            let found = index.lookup(longer, in: number).map { index.name(of: $0) }
            expect(found == (expected[longer] == nil ? nil : longer), "\(id): lookup of \(longer)")
            expect(index.parent(of: child) == number, "\(childID): parent")
            expect(index.resolve(path: index.path(of: child)) == child, "\(childID): path and back")
            if model.entries[childID]?.type == .directory {
                check(directory: childID, number: child)
            } else {
                checkInode(childID, child)
                expect(index.children(of: child) == nil, "\(childID): children")
            }
        }
        expect(index.lookup([], in: number) == nil, "\(id): lookup of nothing")
    }

    mutating func checkInode(_ id: UInt64, _ number: InodeNumber) {
        guard let entry = model.entries[id], let found = index.attributes(of: number) else {
            return problems.append("\(id): no attributes")
        }
        let first = numbers[id] ?? found.number
        numbers[id] = first
        var expected = InodeAttributes(entry, number: first)
        switch entry.type {
        case .directory:
            let subdirectories = model.children[id, default: [:]].values.filter {
                model.entries[$0]?.type == .directory
            }
            expected.nlink = UInt32(2 + subdirectories.count)
        default: expected.nlink = UInt32(1 + names[id, default: 0])
        }
        if entry.type == .regular { expected.sectors = (Self.held(model, id) + 511) / 512 }
        expect(found == expected, "\(id): \(found) is not \(expected)")
        expect(index.type(of: number) == entry.type, "\(id): type")
        expect(index.inodeNumber(of: number) == first, "\(id): inode number")
        expect(index.linkTarget(of: number) == (entry.type == .symlink ? entry.linkTarget : nil), "\(id): target")
        checkBlocks(id, number, entry)
        checkXattrs(id, number)
    }

    mutating func checkBlocks(_ id: UInt64, _ number: InodeNumber, _ entry: TreeEntry) {
        guard entry.type == .regular else { return expect(index.blocks(of: number) == nil, "\(id): has blocks") }
        let expected = model.blocks[id, default: []]
        guard let blocks = index.blocks(of: number) else { return problems.append("\(id): no blocks") }
        expect(blocks.count == expected.count && blocks.size == entry.size, "\(id): block count")
        for (position, block) in expected.enumerated() {
            expect(blocks[position]?.id == block?.id, "\(id): block \(position)")
            expect(blocks[position]?.key == block?.key, "\(id): key \(position)")
            guard let found = blocks[position] else { continue }
            let rest = Int(entry.size) - position * IndexModel.blockSize
            expect(found.plainLength == min(rest, IndexModel.blockSize), "\(id): plain length \(position)")
            expect(found.codec == .gcmZstd, "\(id): codec")
        }
        expect(blocks[-1] == nil && blocks[expected.count] == nil, "\(id): out of bounds")
    }

    mutating func checkXattrs(_ id: UInt64, _ number: InodeNumber) {
        let expected = model.xattrs[id, default: [:]]
        let found = index.xattrs(of: number).map { ([UInt8]($0.name), [UInt8]($0.value)) }
        expect(found.map(\.0) == expected.keys.sorted { $0.lexicographicallyPrecedes($1) }, "\(id): xattr names")
        expect(found.allSatisfy { expected[$0.0] == $0.1 }, "\(id): xattr values")
        for name in ["user.a", "user.ab", "system.posix_acl_access", "user.zzz", ""].map({ Array($0.utf8) }) {
            expect(index.xattr(name, of: number) == expected[name], "\(id): xattr lookup")
        }
    }

    /// Bytes of a file that are not holes.
    static func held(_ model: IndexModel, _ id: UInt64) -> UInt64 {
        let size = Int(model.entries[id]?.size ?? 0)
        var held = 0
        for (position, block) in model.blocks[id, default: []].enumerated() where block != nil {
            held += min(IndexModel.blockSize, size - position * IndexModel.blockSize)
        }
        return UInt64(held)
    }
}

extension InodeAttributes {
    /// What an index must say of an entry, with one link and no sectors but a directory's.
    fileprivate init(_ entry: TreeEntry, number: InodeNumber) {
        let isDevice = entry.type == .characterDevice || entry.type == .blockDevice
        let size: UInt64 =
            switch entry.type {
            case .regular: entry.size
            case .directory: entry.size == 0 ? 4096 : entry.size
            case .symlink: UInt64(entry.linkTarget.count)
            default: 0
            }
        self.init(
            number: number, type: entry.type, permissions: entry.permissions, uid: entry.uid, gid: entry.gid,
            nlink: 1, size: size, sectors: entry.type == .directory ? (size + 511) / 512 : 0,
            major: isDevice ? entry.major : 0, minor: isDevice ? entry.minor : 0, mtime: entry.mtime,
            ctime: entry.ctime, isWithoutBlocks: false)
    }
}
