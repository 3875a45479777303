import FlistTools
import Support
import Testing

@Suite("Latency histogram")
struct LatencyHistogramTests {
    @Test("answers small values exactly, and any other to within a 64th")
    func percentiles() {
        var histogram = LatencyHistogram()
        #expect(histogram.percentile(50) == .zero && histogram.count == 0)
        for value in UInt64(1)...100 { histogram.add(nanoseconds: value) }
        #expect(histogram.count == 100)
        #expect(histogram.percentile(50) == .nanoseconds(50))
        #expect(histogram.maximum == .nanoseconds(100) && histogram.percentile(100) == .nanoseconds(100))
        for power in stride(from: 3, through: 62, by: 1) {
            for value in [UInt64(1) << power, (UInt64(1) << power) - 1, (UInt64(1) << power) / 3 * 2] {
                var one = LatencyHistogram()
                one.add(nanoseconds: value)
                // Something larger, so that the bucket's own end is answered and not the maximum.
                one.add(nanoseconds: UInt64(Int64.max))
                let (seconds, attoseconds) = one.percentile(50).components
                let found = UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
                #expect(found >= value && found - value <= value / 64, "\(value): \(found)")
            }
        }
    }

    @Test("takes the largest value there is, and adds histograms up")
    func merging() {
        var histogram = LatencyHistogram()
        histogram.add(nanoseconds: .max)
        #expect(histogram.maximum == .nanoseconds(Int64.max))
        var other = LatencyHistogram()
        for _ in 0..<99 { other.add(nanoseconds: 7) }
        other.merge(histogram)
        #expect(other.count == 100)
        #expect(other.percentile(99) == .nanoseconds(7))
        #expect(other.percentile(99.5) == .nanoseconds(Int64.max))
    }
}
