internal import Synchronization

/// How often values fell between fixed bounds, and their sum.
///
/// Thread-safe, without a lock: a value costs a search among the bounds and two atomic operations.
public final class Histogram: Sendable {
    /// What a histogram held at one moment.
    public struct Snapshot: Sendable, Hashable {
        /// Upper bounds, inclusive, in growing order.
        public let bounds: [Double]
        /// Values up to each bound and above the one before it; the last are those above all bounds.
        public let counts: [UInt64]
        public let sum: Double

        /// All values.
        public var count: UInt64 { counts.reduce(0, &+) }

        /// From counts that were kept elsewhere, one more than there are bounds.
        public init(bounds: [Double], counts: [UInt64], sum: Double) {
            self.bounds = bounds
            self.counts = counts
            self.sum = sum
        }
    }

    private let bounds: [Double]
    // Freed by deinit only. Atomics cannot be elements of an array.
    nonisolated(unsafe) private let counts: UnsafeMutablePointer<Atomic<UInt64>>
    /// The bits of a Double.
    private let sum = Atomic<UInt64>(0)

    /// Bounds for waiting times, from half a millisecond to half a minute: what a cache answers, what a near store does, and
    /// what a far one does when it must be asked again.
    public static let latencies = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    /// - Parameter bounds: upper bounds, inclusive; sorted here, and what is no finite number is left out.
    public init(bounds: [Double] = latencies) {
        self.bounds = Set(bounds.filter(\.isFinite)).sorted()
        counts = .allocate(capacity: self.bounds.count + 1)
        for position in 0...self.bounds.count { (counts + position).initialize(to: Atomic(0)) }
    }

    deinit {
        counts.deinitialize(count: bounds.count + 1)
        counts.deallocate()
    }

    /// Adds a value; what is no number is left out.
    public func observe(_ value: Double) {
        guard !value.isNaN else { return }
        var (low, high) = (0, bounds.count)
        while low < high {
            let middle = (low + high) / 2
            if value <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        counts[low].wrappingAdd(1, ordering: .relaxed)
        var old = sum.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + value).bitPattern
            let (exchanged, current) = sum.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = current
        }
    }

    /// Adds a duration, in seconds.
    public func observe(_ duration: Duration) {
        let (seconds, fraction) = duration.components
        observe(Double(seconds) + Double(fraction) / 1e18)
    }

    /// The values so far. One that is being added meanwhile may be in the counts and not yet in the sum.
    public var snapshot: Snapshot {
        Snapshot(
            bounds: bounds, counts: (0...bounds.count).map { counts[$0].load(ordering: .relaxed) },
            sum: Double(bitPattern: sum.load(ordering: .relaxed)))
    }
}
