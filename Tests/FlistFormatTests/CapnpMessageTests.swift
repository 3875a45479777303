import FlistFormat
import TestSupport
import Testing

@Suite("Cap'n Proto messages that break the rules")
struct CapnpMessageTests {
    private func data(_ segments: [[UInt64]], _ pointer: Int = 0) throws -> [UInt8] {
        Array(try CapnpMessage(CapnpBuilder.frame(segments)).root().data(pointer))
    }

    private let root = CapnpBuilder.structPointer(offset: 0, data: 0, pointers: 1)

    @Test("a table that is cut short or lies")
    func table() {
        for bytes: [UInt8] in [
            [], [0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0], [255, 255, 255, 255, 0, 0, 0, 0],
            [0, 0, 0, 0, 255, 255, 255, 255],
            [1, 0, 0, 0, 0, 0, 0, 0],
        ] {
            #expect(throws: FormatError.self) { try CapnpMessage(bytes) }
        }
        #expect(throws: FormatError.malformed("has no root")) { try CapnpMessage([0, 0, 0, 0, 0, 0, 0, 0]).root() }
    }

    @Test("pointers that leave their segment")
    func bounds() {
        let left = FormatError.malformed("a pointer leaves its segment")
        for pointer in [
            CapnpBuilder.structPointer(offset: 1, data: 1, pointers: 0),
            CapnpBuilder.structPointer(offset: -2, data: 1, pointers: 0),
            CapnpBuilder.structPointer(offset: (1 << 29) - 1, data: 1, pointers: 0),
            CapnpBuilder.structPointer(offset: -(1 << 29), data: 0xffff, pointers: 0xffff),
            CapnpBuilder.farPointer(segment: 1, word: 0, double: false),
            CapnpBuilder.farPointer(segment: 0xffff_ffff, word: 0x1fff_ffff, double: true),
            CapnpBuilder.farPointer(segment: 0, word: 1, double: true),
        ] {
            #expect(throws: left) { try CapnpMessage(CapnpBuilder.frame([[pointer]])).root() }
        }
        for pointer in [
            CapnpBuilder.listPointer(offset: 0, kind: 2, count: 1),
            CapnpBuilder.listPointer(offset: 0, kind: 2, count: (1 << 29) - 1),
            CapnpBuilder.listPointer(offset: -3, kind: 2, count: 1),
        ] {
            #expect(throws: left) { try data([[root, pointer]]) }
        }
    }

    @Test("pointers of the wrong kind")
    func kinds() {
        #expect(throws: FormatError.malformed("something else stands where bytes belong")) { try data([[root, root]]) }
        #expect(throws: FormatError.malformed("something else stands where bytes belong")) {
            try data([[root, CapnpBuilder.listPointer(offset: 0, kind: 5, count: 0)]])
        }
        #expect(throws: FormatError.malformed("a list stands where a struct belongs")) {
            try CapnpMessage(CapnpBuilder.frame([[CapnpBuilder.listPointer(offset: 0, kind: 2, count: 0)]])).root()
        }
        // A capability.
        #expect(throws: FormatError.malformed("a list stands where a struct belongs")) {
            try CapnpMessage(CapnpBuilder.frame([[3]])).root()
        }
    }

    @Test("far pointers that lead to far pointers")
    func far() {
        let loop = CapnpBuilder.farPointer(segment: 0, word: 0, double: false)
        #expect(throws: FormatError.malformed("a far pointer leads to a far pointer")) {
            try CapnpMessage(CapnpBuilder.frame([[loop]])).root()
        }
        let double = CapnpBuilder.farPointer(segment: 1, word: 0, double: true)
        #expect(throws: FormatError.malformed("a double-far pointer leads to something else than a far pointer")) {
            try CapnpMessage(CapnpBuilder.frame([[double], [double, 0]])).root()
        }
        #expect(throws: FormatError.malformed("the tag of a double-far pointer is not a struct's or list's")) {
            try CapnpMessage(CapnpBuilder.frame([[double], [loop, loop]])).root()
        }
        let offset = CapnpBuilder.structPointer(offset: 1, data: 1, pointers: 0)
        #expect(throws: FormatError.malformed("the tag of a double-far pointer is not a struct's or list's")) {
            try CapnpMessage(CapnpBuilder.frame([[double], [loop, offset]])).root()
        }
    }

    @Test("lists of structs whose tag lies")
    func composite() throws {
        func count(_ list: UInt64, _ tag: UInt64, _ more: [UInt64] = []) throws -> Int {
            try CapnpMessage(CapnpBuilder.frame([[root, list, tag] + more])).root().structures(0).count
        }
        let one = CapnpBuilder.listPointer(offset: 0, kind: 7, count: 1)
        #expect(try count(one, CapnpBuilder.structPointer(offset: 1, data: 1, pointers: 0), [5]) == 1)
        #expect(throws: FormatError.malformed("a list of 2 structs is longer than it says")) {
            try count(one, CapnpBuilder.structPointer(offset: 2, data: 1, pointers: 0), [5])
        }
        #expect(throws: FormatError.malformed("the tag of a list of structs is not a struct's")) {
            try count(one, one, [5])
        }
        #expect(throws: FormatError.malformed("something else stands where a list of structs belongs")) {
            try count(CapnpBuilder.listPointer(offset: 0, kind: 2, count: 8), 0)
        }
        // A billion structs of no size fit in no words.
        #expect(throws: FormatError.tooMuchWork) {
            try count(CapnpBuilder.listPointer(offset: 0, kind: 7, count: 0), UInt64((1 << 30) - 1) << 2)
        }
    }

    @Test("many pointers to the same bytes")
    func amplification() throws {
        // 2,000 pointers to one list of 8,000 bytes: 16 MB of reading in a message of 24 kB.
        let count = 2000
        var words = [CapnpBuilder.structPointer(offset: 0, data: 0, pointers: count)]
        for index in 0..<count {
            words.append(CapnpBuilder.listPointer(offset: count - index - 1, kind: 2, count: 8000))
        }
        words += [UInt64](repeating: 0, count: 1000)
        let holder = try CapnpMessage(CapnpBuilder.frame([words])).root()
        #expect(throws: FormatError.tooMuchWork) { for index in 0..<count { _ = try holder.data(index) } }
    }

    @Test("a struct that contains itself")
    func cycle() throws {
        var current = try CapnpMessage(
            CapnpBuilder.frame([[root, CapnpBuilder.structPointer(offset: -1, data: 0, pointers: 1)]])
        ).root()
        #expect(throws: FormatError.malformed("nested deeper than 32")) {
            for _ in 0..<1000 { current = try current.structure(0) }
        }
    }

    @Test("text without its NUL")
    func text() throws {
        let message = CapnpBuilder.message(.structure(data: [], pointers: [.bytes([97])]))
        #expect(throws: FormatError.malformed("a text does not end with NUL")) {
            try CapnpMessage(message).root().text(0)
        }
    }

    @Test(
        "any byte of a directory flipped, and any length of it: an error or an answer",
        arguments: CapnpBuilder.Layout.allCases)
    func flips(layout: CapnpBuilder.Layout) {
        let block = (hash: [UInt8](repeating: 7, count: 16), key: [UInt8](repeating: 9, count: 16))
        let entries = [
            FlistRecords.directory("etc", key: "9308da158ed557db704826796bca9f68"),
            FlistRecords.file("data", size: 524_289, blocks: [block, block]), FlistRecords.link("l", target: "t"),
            FlistRecords.special("null", type: 0, data: "1,3"),
        ]
        let sound = CapnpBuilder.message(FlistRecords.directoryRecord(entries), layout: layout)
        var refused = 0
        for position in sound.indices {
            for bit in 0..<8 {
                var bytes = sound
                bytes[position] ^= 1 << UInt8(bit)
                if !reads(bytes) { refused += 1 }
            }
            // The words at the end may be no part of any record's field.
            if position < sound.count - 24 { #expect(!reads(Array(sound[..<position]))) }
        }
        #expect(reads(sound))
        #expect(refused > 200)
    }

    private func reads(_ bytes: [UInt8]) -> Bool {
        do {
            let record = try DirectoryRecord(bytes)
            for index in 0..<record.count {
                if case .file(let file) = try record.entry(index).content {
                    for block in 0..<file.count { _ = try file.block(block) }
                }
            }
            return true
        } catch {
            return false
        }
    }
}
