public import Support
internal import Synchronization

/// When a run ends: at whichever comes first.
public struct BenchLimit: Sendable {
    /// Nil for no limit.
    public var duration: Duration?
    /// Blocks or reads; nil for no limit.
    public var count: Int?

    public init(duration: Duration?, count: Int?) {
        self.duration = duration
        self.count = count
    }
}

/// What a run did.
public struct BenchFigures: Sendable {
    /// Blocks, reads or entries that went well.
    public var count: UInt64 = 0
    /// Of them.
    public var bytes: UInt64 = 0
    public var failed: UInt64 = 0
    /// What went wrong first, with its name.
    public var failure: String?
    public var elapsed = Duration.zero
    /// Of what went well.
    public var latencies = LatencyHistogram()

    public init() {}

    public var bytesPerSecond: Double { elapsed > .zero ? Double(bytes) / (elapsed / .seconds(1)) : 0 }
    public var countPerSecond: Double { elapsed > .zero ? Double(count) / (elapsed / .seconds(1)) : 0 }

    mutating func succeed(bytes: Int, since start: Deadline) {
        count += 1
        self.bytes += UInt64(bytes)
        latencies.add(nanoseconds: Deadline.now.nanoseconds - start.nanoseconds)
    }

    /// Notes one step of several, whose times add up.
    public mutating func note(since start: Deadline) {
        let time = Deadline.now.nanoseconds - start.nanoseconds
        count += 1
        latencies.add(nanoseconds: time)
        elapsed += .nanoseconds(Int64(clamping: time))
    }

    mutating func fail(_ reason: String) {
        failed += 1
        failure = failure ?? reason
    }

    mutating func merge(_ other: BenchFigures) {
        count += other.count
        bytes += other.bytes
        failed += other.failed
        failure = failure ?? other.failure
        latencies.merge(other.latencies)
    }
}

/// How far a run is, for those who watch it. Thread-safe.
public final class BenchProgress: Sendable {
    private let state = Mutex((count: UInt64(0), bytes: UInt64(0)))

    public init() {}

    public var count: UInt64 { state.withLock { $0.count } }
    public var bytes: UInt64 { state.withLock { $0.bytes } }

    func add(bytes: Int) {
        state.withLock { state in
            state.count += 1
            state.bytes += UInt64(bytes)
        }
    }
}

/// The same numbers in every run, so that runs can be compared: SplitMix64 (Steele, Lea and Flood, 2014).
struct RepeatableGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
