import BlockCodec
import FlistImage
import Support
import Testing

@Suite("Tree index validation of blocks and xattrs")
struct IndexContentValidationTests {
    private typealias Base = IndexValidationTests
    private static let id = Base.id

    @Test("refuses a block", arguments: 0..<6)
    func block(case number: Int) {
        let zeros = Digest(Array(repeating: 0, count: 32))
        let cases: [(id: Digest?, key: Digest?, reason: String)] = [
            (Base.short, Self.id, "the id has 16 bytes, not 32"),
            (Self.id, Base.short, "the key has 16 bytes, not 32"),
            (zeros, Self.id, "the id is all zeros"),
            (Self.id, nil, "has an id but no key"),
            (nil, Self.id, "has a key but no id"),
            (nil, nil, "is a hole, which this kind of flist cannot have"),
        ]
        let (id, key, reason) = cases[number]
        let message = Base.message(.rfs) {
            try $0.add(Base.entry(3, "x", size: 5000))
            try $0.addBlock(to: 3, blockID: Self.id, key: Self.id)
            try $0.addBlock(to: 3, blockID: id, key: key)
        }
        #expect(message == "entry 3, block 1: \(reason)")
    }

    @Test("refuses digests of 32 bytes where the codec has 16")
    func shortDigests() throws {
        let message = Base.message(.flist) { try $0.addBlock(to: 3, blockID: Self.id, key: Self.id) }
        #expect(message == "entry 3, block 0: the id has 32 bytes, not 16")
        let good = Base.message(.flist) {
            try $0.add(Base.entry(3, "x", size: 1))
            try $0.addBlock(to: 3, blockID: Base.short, key: Base.short)
        }
        #expect(good == "no error")
    }

    @Test(
        "refuses a size that is not that of the blocks",
        arguments: [(UInt64(0), 1, 0), (1, 2, 1), (4096, 2, 1), (4097, 1, 2), (20_000, 4, 5)])
    func sizes(size: UInt64, blocks: Int, needed: Int) {
        let message = Base.message {
            try $0.add(Base.entry(3, "x", in: 2, size: size))
            for _ in 0..<blocks { try $0.addBlock(to: 3, blockID: Self.id, key: Self.id) }
        }
        #expect(message == "/d/x: has \(blocks) blocks, but \(size) bytes are \(needed)")
    }

    @Test("refuses blocks of what has none")
    func owners() {
        let directory = Base.message { try $0.addBlock(to: 2, blockID: Self.id, key: Self.id) }
        #expect(directory == "/d: has blocks but is not a regular file")
        let nothing = Base.message { try $0.addBlock(to: 5, blockID: Self.id, key: Self.id) }
        #expect(nothing == "entry 5: has blocks but does not exist")
        let mixed = Base.message {
            for id in [3, 4] as [UInt64] { try $0.add(Base.entry(id, "f\(id)", size: 5000)) }
            for id in [3, 4, 3, 4] as [UInt64] { try $0.addBlock(to: id, blockID: Self.id, key: Self.id) }
        }
        #expect(mixed == "/f3: its blocks do not come one after another")
    }

    @Test("refuses sizes beyond all bounds")
    func bounds() {
        let blocks = Base.message { try $0.add(Base.entry(3, "x", size: 1 << 45)) }
        #expect(blocks == "/x: 35184372088832 bytes would be more than 2^32 blocks")
        var info = IndexModel.info()
        info.blockSize = 64 << 20
        let total = Base.message {
            $0 = TreeIndexBuilder(info: info)
            try $0.add(Base.root())
            for id in 2...40 as ClosedRange<UInt64> { try $0.add(Base.entry(id, "x\(id)", size: 1 << 58)) }
        }
        #expect(total == "the sizes of the flist's files add up to more than 2^63 - 1")
    }

    @Test("keeps a file without its blocks, and says so")
    func withoutBlocks() throws {
        var builder = try Base.builder()
        try builder.add(Base.entry(3, "x", size: 5000))
        let index = try builder.finish()
        let number = try #require(index.resolve(path: Array("/x".utf8)))
        #expect(index.attributes(of: number)?.isWithoutBlocks == true)
        #expect(index.attributes(of: number)?.size == 5000)
        #expect(index.attributes(of: number)?.sectors == 10)
        #expect(index.blocks(of: number) == nil)
        #expect(index.summary.filesWithoutBlocks == 1)
        #expect(index.summary.storedPlainSize == 0)
        #expect(index.summary.totalSize == 5000)
    }

    @Test("does not count holes as sectors")
    func holes() throws {
        var builder = try Base.builder()
        try builder.add(Base.entry(3, "tail", size: 4097))
        try builder.addBlock(to: 3, blockID: Self.id, key: Self.id)
        try builder.addBlock(to: 3, blockID: nil, key: nil)
        try builder.add(Base.entry(4, "head", size: 4097))
        try builder.addBlock(to: 4, blockID: nil, key: nil)
        try builder.addBlock(to: 4, blockID: Self.id, key: Self.id)
        let index = try builder.finish()
        let tail = try #require(index.resolve(path: Array("tail".utf8)))
        let head = try #require(index.resolve(path: Array("head".utf8)))
        #expect(index.attributes(of: tail)?.sectors == 8)
        #expect(index.attributes(of: head)?.sectors == 1)
        #expect(index.summary.storedPlainSize == 4097)
    }

    @Test(
        "refuses an xattr",
        arguments: [
            ("", 0, "entry 2, xattr \"\": the name is empty"),
            ("user.", 0, "entry 2, xattr \"user.\": the name is a namespace and nothing else"),
            ("other.a", 0, "entry 2, xattr \"other.a\": the name is in no namespace that Linux knows"),
            ("user.\0", 0, "entry 2, xattr \"user.\\x00\": the name holds a NUL byte"),
            ("user.a", 65_537, "entry 2, xattr \"user.a\": the value has 65537 bytes, more than 65536"),
        ])
    func xattr(name: String, length: Int, message: String) {
        let found = Base.message {
            try $0.addXattr(to: 2, name: Array(name.utf8), value: Array(repeating: 1, count: length))
        }
        #expect(found == message)
    }

    @Test("refuses xattrs that are too many, there twice, or of nothing")
    func xattrs() {
        let name = Array("user.a".utf8)
        let twice = Base.message {
            for value in 0..<2 as Range<UInt8> { try $0.addXattr(to: 2, name: name, value: [value]) }
        }
        #expect(twice == "/d: has the xattr \"user.a\" twice")
        let same = Base.message { for _ in 0..<2 { try $0.addXattr(to: 2, name: name, value: [1]) } }
        #expect(same == "/d: has the xattr \"user.a\" twice")
        let nothing = Base.message { try $0.addXattr(to: 5, name: name, value: []) }
        #expect(nothing == "entry 5: has xattrs but does not exist")
        let good = Base.message { try $0.addXattr(to: 2, name: Array("trusted.x".utf8), value: []) }
        #expect(good == "no error")
        let list = Base.message {
            for number in 100..<357 {
                let name = "user.\(number)" + String(repeating: "n", count: 247)
                try $0.addXattr(to: 2, name: Array(name.utf8), value: [])
            }
        }
        #expect(list == "/d: the names of its xattrs take more than 65536 bytes")
        let longName = "user." + String(repeating: "n", count: 251)
        let tooLong = Base.message { try $0.addXattr(to: 2, name: Array(longName.utf8), value: []) }
        #expect(tooLong == "entry 2, xattr \"\(longName)\": the name has 256 bytes, more than 255")
    }

    @Test("takes values of 65,536 bytes and shares equal sets")
    func shared() throws {
        var builder = try Base.builder()
        let value = Array(repeating: UInt8(5), count: 65_536)
        for id in 1...2 as ClosedRange<UInt64> {
            try builder.addXattr(to: id, name: Array("user.big".utf8), value: value)
            try builder.addXattr(to: id, name: Array("security.selinux".utf8), value: [1])
        }
        let index = try builder.finish()
        #expect(index.byteCount < 70_000)
        #expect(index.summary.xattrs == 4)
        #expect(!index.summary.hasACLs)
        #expect(index.xattr(Array("user.big".utf8), of: 2) == value)
        #expect(
            index.xattrs(of: 1).map { String(decoding: $0.name, as: UTF8.self) } == ["security.selinux", "user.big"])
    }
}
