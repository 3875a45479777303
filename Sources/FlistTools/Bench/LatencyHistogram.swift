/// How long many things took, in memory of a fixed size: each value is kept to within 1/64 of itself.
///
/// For each power of two 64 linear steps, as HdrHistogram has them. Not thread-safe: one for each thread, merged.
public struct LatencyHistogram: Sendable {
    private static let stepBits = 6
    private static let steps = 1 << stepBits

    private var buckets = [UInt64](repeating: 0, count: steps * (64 - stepBits + 1))
    /// Values in all.
    public private(set) var count: UInt64 = 0
    /// The largest value, exactly.
    public private(set) var maximum = Duration.zero

    public init() {}

    public mutating func add(nanoseconds: UInt64) {
        buckets[Self.bucket(nanoseconds)] += 1
        count += 1
        maximum = max(maximum, .nanoseconds(Int64(clamping: nanoseconds)))
    }

    public mutating func merge(_ other: LatencyHistogram) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        count += other.count
        maximum = max(maximum, other.maximum)
    }

    /// The value that `percent` of all values do not exceed; zero when there are none.
    public func percentile(_ percent: Double) -> Duration {
        let rank = max(1, (Double(count) * percent / 100).rounded(.up))
        var seen: UInt64 = 0
        for (index, here) in buckets.enumerated() where here > 0 {
            seen += here
            if Double(seen) >= rank { return min(maximum, .nanoseconds(Int64(clamping: Self.upperEnd(index)))) }
        }
        return maximum
    }

    private static func bucket(_ value: UInt64) -> Int {
        let power = UInt64.bitWidth - value.leadingZeroBitCount
        guard power > stepBits else { return Int(value) }
        let shift = power - stepBits - 1
        return shift * steps + Int(value >> UInt64(shift))
    }

    /// The largest value of a bucket.
    private static func upperEnd(_ index: Int) -> UInt64 {
        guard index >= steps else { return UInt64(index) }
        let shift = index / steps - 1
        let step = UInt64(index - shift * steps)
        return step << UInt64(shift) | ((1 << UInt64(shift)) - 1)
    }
}
