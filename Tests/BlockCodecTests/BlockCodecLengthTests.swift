import Testing

@testable import BlockCodec

@Suite("Stored lengths")
struct BlockCodecLengthTests {
    @Test("are at most what snappy or zstd, the padding and the tag can add")
    func maximum() {
        // Snappy: 32 + n + n / 6. Zstandard: n + n / 256, and a little more below 128 KiB.
        #expect(BlockCodec.xxteaSnappy.maximumStoredLength(plainLength: 524_288) == 611_708)
        #expect(BlockCodec.gcmSnappy.maximumStoredLength(plainLength: 524_288) == 611_717)
        #expect(BlockCodec.gcmZstd.maximumStoredLength(plainLength: 524_288) == 526_352)
        #expect(BlockCodec.maximumStoredLength(plainLength: 524_288) == 611_717)
    }

    @Test("do not overflow", arguments: BlockCodec.allCases)
    func extremes(codec: BlockCodec) {
        let largest = codec.maximumStoredLength(plainLength: 1 << 30)
        #expect(codec.maximumStoredLength(plainLength: .max) == largest)
        #expect(largest < Int(Int32.max))
        #expect(codec.maximumStoredLength(plainLength: .min) == codec.maximumStoredLength(plainLength: 0))
    }
}
