import BlockCodec
import Support
import Testing

@testable import BlockCache

@Suite("Content id")
struct ContentIDTests {
    // The digests are Python's: hashlib.blake2b(digest_size=32) over b"flist content 1\0", size and block size as
    // 64-bit little-endian integers, and a byte of length before each key.
    @Test("gives the digests of an independent implementation")
    func knownAnswers() {
        #expect(
            ContentID.of(TestContent(seed: 1, size: 0)).description
                == "8e3c44e585e355bfc79a6e144f6077f1ef9faef5cdfff6454b1fa34adfd3f8e1")
        #expect(
            ContentID.of(Fixed(size: 5, keys: [.one])).description
                == "a9e5482c6345eada3262be900d3cfde5ce281a0cb7ca062943f11e4c95a08de6")
        #expect(
            ContentID.of(Fixed(size: 5000, keys: [.one, .two])).description
                == "dc03cac6752e39b08ff474a517d81b08574fc7e2a92fb8310bd79cfb9cc59e17")
        #expect(
            ContentID.of(Fixed(size: 5000, keys: [.short, nil])).description
                == "2041c85b5e0e2377626492bdb3a64da317f26a11b4d008b3a3c30437da57ded4")
        #expect(
            ContentID.of(Fixed(size: 8192, keys: [nil, nil])).description
                == "17821a69a1503f84ca1082d80254d585cf2bc1e634b8cdc6a0343345e9013dca")
    }

    @Test("is the same for a hole and for a block of zeros")
    func holes() {
        var stored = TestContent(seed: 1, size: 10_000, holes: [1])
        let sparse = stored
        stored.holes = []
        #expect(stored.id == sparse.id)
    }

    @Test("differs by size, block size, order and length of keys")
    func differences() {
        let lists = [
            Fixed(size: 5000, keys: [.one, .two]), Fixed(size: 5001, keys: [.one, .two]),
            Fixed(size: 5000, keys: [.two, .one]), Fixed(size: 5000, blockSize: 4097, keys: [.one, .two]),
            Fixed(size: 5000, keys: [.short, .two]),
        ]
        #expect(Set(lists.map { ContentID.of($0) }).count == lists.count)
    }

    @Test("of a list that contradicts itself leads to an object that holds and takes nothing")
    func contradiction() throws {
        let folder = TemporaryFolder()
        let cache = try folder.open()
        for list in [
            Fixed(size: 9000, keys: [.one]), Fixed(size: 5, blockSize: 0, keys: [.one]),
            Fixed(size: 5, blockSize: -1, keys: [.one]), Fixed(size: .max, keys: [.one]),
            Fixed(size: 1 << 50, keys: [.one]), Fixed(size: 0, keys: [.one]),
        ] {
            let object = cache.object(for: ContentID.of(list), blocks: list)
            #expect(!object.holds(0..<1) || list.size == 0)
            #expect(object.state(ofBlock: 0) == .absent)
            #expect([1, 2, 3, 4, 5].withUnsafeBytes { object.store($0, block: 0) } == false)
        }
    }
}

private struct Fixed: BlockList {
    var size: UInt64
    var blockSize = 4096
    var keys: [Digest?]
    var count: Int { keys.count }
    subscript(index: Int) -> BlockReference? {
        keys[index].map { BlockReference(id: $0, key: $0, codec: .gcmZstd, plainLength: 1) }
    }
}

extension Digest {
    fileprivate static let one = Digest(Array(repeating: 1, count: 32)) ?? .zero
    fileprivate static let two = Digest(Array(repeating: 2, count: 32)) ?? .zero
    fileprivate static let short = Digest(Array(repeating: 3, count: 16)) ?? .zero
}
