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
}
