import BlockCodec
import Support
import Testing

/// A block whose stored bytes were made by another implementation.
struct KnownBlock: Sendable, CustomTestStringConvertible {
    let name: String
    let codec: BlockCodec
    let plain: [UInt8]
    let key: String
    let stored: String
    let id: String

    var testDescription: String { name }

    // From the original tools' own libraries: libflist for XXTEA, rfs for AES-256-GCM.
    static let all = [
        KnownBlock(
            name: "rfs, hello", codec: .gcmSnappy, plain: Array("hello flist\n".utf8),
            key: "bd903b87f488ceed3f515e42c150fd5857b8bdc6fc6a09d9b999cdf66bccddcf",
            stored: "e5a2d10ba07f6d343b310951991de7d0f444bb76c4d66d58a94da56e111d",
            id: "30ee1d63f9dcdd993f73bdfad60ed773e26350dcde159d42b5736b6bc3e46971"),
        KnownBlock(
            name: "0-fs, hello", codec: .xxteaSnappy, plain: Array("hello flist\n".utf8),
            key: "febfd7e2ec6c48d6ea6209512e427230",
            stored: "84a42f390f582cc82dee83eb72193c84dd8b0e65",
            id: "3bed0876820ef0d6d009a17ea17edfd7"),
        KnownBlock(
            name: "rfs, 64 zeros", codec: .gcmSnappy, plain: Array(repeating: 0, count: 64),
            key: "0eb923b0cbd24df54401d998531feead35a47a99f4deed205de4af81120f9761",
            stored: "4274f0312590729fac5b3004c1a75ca7e25d49ca0c12",
            id: "ebadc4a8a9030d5702fb9b0ccbff12199f914db432193d4604455a9a84e5e096"),
        KnownBlock(
            name: "0-fs, 64 zeros", codec: .xxteaSnappy, plain: Array(repeating: 0, count: 64),
            key: "532fe82fc5db1ef54fd5be9ba44b69b4",
            stored: "6a23b000f8b6eca55d99b32b",
            id: "574684e5079ae6c66ad0fa17ad431793"),
    ]
}

@Suite("Blocks of the original tools")
struct KnownAnswerTests {
    @Test("are decoded", arguments: KnownBlock.all)
    func decoding(block: KnownBlock) throws {
        let stored = try #require(Hex.decode(block.stored))
        let reference = BlockReference(
            id: try #require(Digest(hex: block.id)), key: try #require(Digest(hex: block.key)),
            codec: block.codec, plainLength: block.plain.count)
        #expect(try Blocks.decode(stored, as: reference) == block.plain)
    }

    // Another version of snappy may compress other data differently; for data this small there is one way.
    @Test("are what the encoder makes too", arguments: KnownBlock.all)
    func encoding(block: KnownBlock) throws {
        let (reference, stored) = try Blocks.encode(block.plain, block.codec)
        #expect(reference.key.description == block.key)
        #expect(reference.id.description == block.id)
        #expect(Hex.encode(stored) == block.stored)
        #expect(reference.codec == block.codec)
        #expect(reference.plainLength == block.plain.count)
    }
}
