import Support
import Testing

@testable import Telemetry

@Suite("Counting")
struct HistogramTests {
    @Test("a counter loses nothing when many count at once")
    func counter() throws {
        let counter = Counter()
        let threads = try (0..<4).map { _ in try WorkerThread("count") { for _ in 0..<50_000 { counter.add() } } }
        counter.add(5)
        threads.forEach { $0.join() }
        #expect(counter.value == 200_005)
    }

    @Test(
        "a value falls under the first bound that it does not exceed",
        arguments: [
            (-1.0, 0), (1, 0), (1.5, 1), (2, 1), (5, 2), (5.1, 3), (.infinity, 3),
        ])
    func bounds(value: Double, place: Int) {
        let histogram = Histogram(bounds: [5, 1, 2, 2, .infinity, .nan])
        histogram.observe(value)
        let snapshot = histogram.snapshot
        #expect(snapshot.bounds == [1, 2, 5])
        #expect(snapshot.counts == (0..<4).map { $0 == place ? 1 : 0 })
        #expect(snapshot.sum == value)
    }

    @Test("durations are seconds, and what is no number is left out")
    func durations() {
        let histogram = Histogram(bounds: [0.5])
        histogram.observe(.milliseconds(250))
        histogram.observe(.seconds(2))
        histogram.observe(Double.nan)
        #expect(histogram.snapshot == Histogram.Snapshot(bounds: [0.5], counts: [1, 1], sum: 2.25))
    }

    @Test("a histogram loses nothing when many observe at once")
    func concurrency() throws {
        let histogram = Histogram(bounds: [0, 1, 2])
        let threads = try (0..<4).map { thread in
            try WorkerThread("observe") { for _ in 0..<25_000 { histogram.observe(Double(thread)) } }
        }
        threads.forEach { $0.join() }
        let snapshot = histogram.snapshot
        #expect(snapshot.counts == [25_000, 25_000, 25_000, 25_000])
        #expect(snapshot.count == 100_000)
        #expect(snapshot.sum == 150_000)
    }
}
