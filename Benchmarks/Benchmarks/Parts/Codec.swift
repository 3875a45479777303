import Benchmark
import BlockCodec
import Support

/// Encoding and decoding, every check included, for each pipeline and two sizes of blocks.
func codec() {
    for codec in BlockCodec.allCases {
        for count in [4 << 10, 512 << 10] {
            let plain = sample(count)
            let scale: BenchmarkScalingFactor = count < 65536 ? .kilo : .one
            Benchmark("Encode.\(codec).\(count >> 10)KiB", configuration: .init(scalingFactor: scale)) { benchmark in
                var encoder = BlockEncoder(codec: codec)
                benchmark.startMeasurement()
                for _ in benchmark.scaledIterations {
                    try plain.withUnsafeBytes { blackHole(try encoder.encode($0).reference) }
                }
            }
            Benchmark("Decode.\(codec).\(count >> 10)KiB", configuration: .init(scalingFactor: scale)) {
                (benchmark, block: StoredBlock) throws in
                var decoder = BlockDecoder()
                var output = [UInt8](repeating: 0, count: count)
                benchmark.startMeasurement()
                for _ in benchmark.scaledIterations {
                    try block.bytes.withUnsafeBytes { stored in
                        try output.withUnsafeMutableBytes { try decoder.decode(stored, as: block.reference, into: $0) }
                    }
                }
                blackHole(output)
            } setup: {
                try StoredBlock(plain, codec)
            }
            Benchmark("Decode.\(codec).8x\(count >> 10)KiB", configuration: .init(scalingFactor: scale)) {
                (benchmark, blocks: [StoredBlock]) in
                var decoder = BlockDecoder()
                withPointers(to: blocks.map(\.bytes)) { stored in
                    withPointers(to: blocks.map { _ in [UInt8](repeating: 0, count: count) }) { plain in
                        var decodings = zip(zip(stored, plain), blocks).map { memory, block in
                            BlockDecoding(
                                stored: memory.0, reference: block.reference,
                                plain: UnsafeMutableRawBufferPointer(mutating: memory.1))
                        }
                        benchmark.startMeasurement()
                        for _ in benchmark.scaledIterations { decoder.decode(&decodings) }
                        benchmark.stopMeasurement()
                        if let error = decodings.compactMap(\.error).first { benchmark.error("\(error)") }
                    }
                }
            } setup: {
                try (1...8).map { try StoredBlock(sample(count, seed: $0), codec) }
            }
        }
    }
}

/// A block as a store holds it.
struct StoredBlock {
    let reference: BlockReference
    let bytes: [UInt8]

    init(_ plain: [UInt8], _ codec: BlockCodec) throws {
        var encoder = BlockEncoder(codec: codec)
        (reference, bytes) = try plain.withUnsafeBytes { plain in
            let (reference, stored) = try encoder.encode(plain)
            return (reference, [UInt8](stored))
        }
    }
}
