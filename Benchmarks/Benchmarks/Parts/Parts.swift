import Benchmark
import Support

/// The parts of the read path, each alone on one thread.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .cpuTotal, .throughput], warmupIterations: 3, maxDuration: .seconds(2))
    hashing()
    codec()
    index()
    cache()
    fetching()
}

/// Bytes of which half compresses, the same in every run.
func sample(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { position in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return position / 64 % 2 == 0
            ? UInt8(truncatingIfNeeded: state >> 33) : UInt8(truncatingIfNeeded: position / 128)
    }
}

/// A benchmark that could not do its work: it is shown as failed.
struct BenchmarkFailed: Error {
    let reason: String
}

private func hashing() {
    for count in [4 << 10, 512 << 10] {
        let bytes = sample(count)
        Benchmark("BLAKE2b.\(count >> 10)KiB", configuration: .init(scalingFactor: count < 65536 ? .kilo : .one)) {
            for _ in $0.scaledIterations { blackHole(BLAKE2b.hash(bytes, .bytes32)) }
        }
    }
    let inputs = (1...8).map { sample(512 << 10, seed: $0) }
    Benchmark("BLAKE2b.8x512KiB") { benchmark in
        withPointers(to: inputs) { pointers in
            let inputs = pointers.map { BLAKE2b.Input($0, .bytes32) }
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations { blackHole(BLAKE2b.hash(inputs)) }
            benchmark.stopMeasurement()
        }
    }
}

/// Lends the bytes of several arrays at once.
func withPointers(to arrays: [[UInt8]], _ body: ([UnsafeRawBufferPointer]) -> Void) {
    let memory = arrays.map { bytes in
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        copy.copyBytes(from: bytes)
        return copy
    }
    defer { memory.forEach { $0.deallocate() } }
    body(memory.map { UnsafeRawBufferPointer($0) })
}
