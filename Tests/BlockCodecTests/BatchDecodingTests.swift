import BlockCodec
import Support
import Testing

/// Encoded blocks and memory for their plain bytes.
private final class Batch {
    let plain: [[UInt8]]
    var blocks: [BlockDecoding] = []

    init(_ plain: [[UInt8]], _ codecs: [BlockCodec], damaged: Set<Int> = []) throws {
        self.plain = plain
        for (index, bytes) in plain.enumerated() {
            let encoded = try Blocks.encode(bytes, codecs[index % codecs.count])
            let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: encoded.stored.count, alignment: 1)
            stored.copyBytes(from: encoded.stored)
            var reference = encoded.reference
            if damaged.contains(index) {
                stored[encoded.stored.count / 2] ^= 1
                reference = Blocks.reference(reference, for: Array(stored))
            }
            blocks.append(
                BlockDecoding(
                    stored: UnsafeRawBufferPointer(stored), reference: reference,
                    plain: .allocate(byteCount: bytes.count, alignment: 1)))
        }
    }

    deinit {
        for block in blocks {
            block.stored.deallocate()
            block.plain.deallocate()
        }
    }

    func decode() {
        var decoder = BlockDecoder()
        // Twice: the second time with memory that was used before.
        decoder.decode(&blocks)
        for block in blocks { block.plain.copyBytes(from: [UInt8](repeating: 0xee, count: block.plain.count)) }
        decoder.decode(&blocks)
    }
}

@Suite("Blocks decoded together")
struct BatchDecodingTests {
    @Test("come out as one by one, in any number", arguments: 0...9)
    func numbers(count: Int) throws {
        let plain = (0..<count).map { Blocks.random(700 + $0 * 37 % 100, seed: UInt64($0)) }
        let batch = try Batch(plain, [.xxteaSnappy])
        batch.decode()
        for (index, block) in batch.blocks.enumerated() {
            #expect(block.error == nil)
            #expect(Array(block.plain) == plain[index])
        }
    }

    @Test("may have any lengths next to each other")
    func lengths() throws {
        var generator = SplitMix64(state: 42)
        for round in 0..<200 as Range<UInt64> {
            let plain = (0..<4 as Range<UInt64>).map { lane in
                Blocks.random(Int.random(in: 150...1200, using: &generator), seed: round * 4 + lane)
            }
            let batch = try Batch(plain, [.xxteaSnappy])
            batch.decode()
            for (index, block) in batch.blocks.enumerated() {
                #expect(block.error == nil, "round \(round)")
                #expect(Array(block.plain) == plain[index], "round \(round)")
            }
        }
    }

    @Test("may be of all codecs and sizes")
    func mixed() throws {
        let plain = RoundTripTests.sizes.flatMap { size in
            Blocks.Content.allCases.map { Blocks.data($0, min(size, 20_000)) }
        }
        let batch = try Batch(plain, [.xxteaSnappy, .gcmZstd, .xxteaSnappy, .xxteaSnappy, .gcmSnappy])
        batch.decode()
        for (index, block) in batch.blocks.enumerated() {
            #expect(block.error == nil)
            #expect(Array(block.plain) == plain[index])
        }
    }

    @Test("fail each for itself")
    func failures() throws {
        let plain = (0..<6 as Range<UInt64>).map { Blocks.random(900, seed: $0) }
        let batch = try Batch(plain, [.xxteaSnappy], damaged: [1, 4])
        batch.blocks[2] = BlockDecoding(
            stored: batch.blocks[2].stored,
            reference: BlockReference(
                id: .zero, key: batch.blocks[2].reference.key, codec: .xxteaSnappy, plainLength: 900),
            plain: batch.blocks[2].plain)
        batch.decode()
        #expect(batch.blocks.map(\.error) == [nil, .wrongKey, .wrongID, nil, .wrongKey, nil])
        for index in [0, 3, 5] { #expect(Array(batch.blocks[index].plain) == plain[index]) }
    }
}
