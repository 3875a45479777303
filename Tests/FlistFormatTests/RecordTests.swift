import FlistFormat
import Support
import TestSupport
import Testing

@Suite("Records of a .flist")
struct RecordTests {
    private let block = (hash: [UInt8](repeating: 7, count: 16), key: [UInt8](repeating: 9, count: 16))

    @Test("reads a directory whatever the layout of its message", arguments: CapnpBuilder.Layout.allCases)
    func directory(layout: CapnpBuilder.Layout) throws {
        var odd = FlistRecords.link("odd", target: "some/where")
        odd.name = [0x66, 0xff]
        let entries = [
            FlistRecords.directory("etc", key: "9308da158ed557db704826796bca9f68"),
            FlistRecords.file("data", size: 524_289, blocks: [block, block]), odd,
            FlistRecords.special("null", type: 0, data: "1,3"),
        ]
        let bytes = CapnpBuilder.message(FlistRecords.directoryRecord(entries, location: "a/b"), layout: layout)
        let record = try DirectoryRecord(bytes)
        #expect(record.location == Array("a/b".utf8))
        #expect(record.accessKey == Array("d7683de000c13689".utf8))
        #expect(record.modificationTime == 1_500_000_000)
        #expect(record.creationTime == 1_500_000_001)
        #expect(record.count == 4)
        guard case .directory(let key) = try record.entry(0).content else { throw Unexpected() }
        #expect(key == Array("9308da158ed557db704826796bca9f68".utf8))
        let file = try record.entry(1)
        #expect(file.size == 524_289)
        #expect(file.modificationTime == 1_600_000_000)
        #expect(file.creationTime == 1_600_000_001)
        guard case .file(let blocks) = file.content else { throw Unexpected() }
        #expect(blocks.blockSize == 128)
        #expect(blocks.count == 2)
        #expect(Array(try blocks.block(1).hash) == block.hash)
        #expect(Array(try blocks.block(1).key) == block.key)
        let link = try record.entry(2)
        #expect(link.name == [0x66, 0xff])
        guard case .link(let target) = link.content else { throw Unexpected() }
        #expect(target == Array("some/where".utf8))
        guard case .special(let special) = try record.entry(3).content else { throw Unexpected() }
        #expect(special.meaning == .characterDevice(major: 1, minor: 3))
        #expect(throws: FormatError.badRecord("has no entry 4")) { try record.entry(4) }
    }

    struct Unexpected: Error {}

    @Test("reads owners by number and by name")
    func access() throws {
        let numbered = try AccessRecord(
            CapnpBuilder.message(FlistRecords.access(user: "joe", group: "7", mode: 0o104755, uid: 0, gid: 12)))
        #expect(
            numbered
                == AccessRecord(
                    userName: Array("joe".utf8), groupName: Array("7".utf8), mode: 0o104755, uid: 0, gid: 12))
        let named = try AccessRecord(CapnpBuilder.message(FlistRecords.access(user: "joe", group: "7", mode: 0o644)))
        #expect(named.uid == nil)
        #expect(named.gid == nil)
        // Written by a schema without numbers.
        let old = try AccessRecord(CapnpBuilder.message(.structure(data: [0o644], pointers: [.text("joe")])))
        #expect(old.uid == nil)
        #expect(old.groupName == [])
    }

    @Test("computes the keys that writers compute")
    func keys() {
        #expect(RecordKey.root == Array("cae66941d9efbd404e4d88758ea67670".utf8))
        #expect(RecordKey.directory(Array("etc".utf8)) == Array("9308da158ed557db704826796bca9f68".utf8))
        #expect(RecordKey.directory(Array("var/log".utf8)) == Array("3bf7b8fb9c32a74b7d9f0895d2a2da87".utf8))
        #expect(RecordKey.directory(Array("usr/bin".utf8)) == Array("46c939da162118cf47886fe40f8b5600".utf8))
        let root = Array("root".utf8)
        let record = AccessRecord(userName: root, groupName: root, mode: 0o755, uid: 0, gid: 0)
        #expect(RecordKey.access(record) == Array("d7683de000c13689".utf8))
        // Past one block of the hash.
        let long = AccessRecord(userName: [UInt8](repeating: 97, count: 200), groupName: root, mode: 0, uid: 0, gid: 0)
        #expect(RecordKey.access(long).count == 16)
    }

    @Test(
        "makes of special files what they most likely are",
        arguments: [
            (0, "1,3", Special.Meaning.characterDevice(major: 1, minor: 3)),
            (1, "8,1", .blockDevice(major: 8, minor: 1)),
            (2, "5,1", .characterDevice(major: 5, minor: 1)), (4, "0,0", .characterDevice(major: 0, minor: 0)),
            (0, "4095,1048575", .characterDevice(major: 4095, minor: 1_048_575)), (0, "(nothing)", .socket),
            (3, "(nothing)", .fifo), (4, "(nothing)", .socket), (1, "(nothing)", nil), (2, "1,", nil),
            (0, "1,2,3", .socket),
            (0, "-1,2", .socket), (0, "99999999999,1", .socket), (3, "", .fifo),
        ] as [(UInt16, String, Special.Meaning?)])
    func specials(kind: UInt16, data: String, meaning: Special.Meaning?) throws {
        let special = Special(kind: try #require(Special.Kind(rawValue: kind)), data: Array(data.utf8))
        #expect(special.meaning == meaning)
    }

    @Test("an enumerant or a member of the union that is not in the schema")
    func unknown() throws {
        let odd = FlistRecords.special("x", type: 77, data: "(nothing)")
        let record = try DirectoryRecord(CapnpBuilder.message(FlistRecords.directoryRecord([odd])))
        guard case .special(let special) = try record.entry(0).content else { throw Unexpected() }
        #expect(special.kind == .unknown)
        let member = FlistRecords.Inode([97], tag: 9, .null)
        let other = try DirectoryRecord(CapnpBuilder.message(FlistRecords.directoryRecord([member])))
        #expect(throws: FormatError.badRecord("entry of unknown kind 9")) { try other.entry(0) }
    }
}
