internal import Support

/// Remembers failures of a store: how long it is to be tried last.
struct StoreHealth {
    /// The first pause; doubled with each further failure.
    static let firstPause = Duration.milliseconds(500)
    /// A store that came back is noticed at the latest after this.
    static let longestPause = Duration.seconds(30)

    private var failures = 0
    private var pausedUntil: Deadline?

    /// True when the store is as good as any other.
    var isHealthy: Bool { pausedUntil?.hasPassed ?? true }

    mutating func succeeded() {
        failures = 0
        pausedUntil = nil
    }

    mutating func failed() {
        // Many requests fail together when a connection breaks: that is one incident, not many.
        guard isHealthy else { return }
        pausedUntil = .after(Backoff.delay(round: failures, first: Self.firstPause, longest: Self.longestPause))
        failures += 1
    }
}

/// Pauses that double from try to try.
enum Backoff {
    /// Half to all of `first` doubled `round` times, at most `longest`: jitter, so that many do not return at once.
    static func delay(round: Int, first: Duration, longest: Duration) -> Duration {
        let doubled = first * (1 << min(max(round, 0), 20))
        let whole = min(doubled, longest)
        return whole / 2 + whole / 2 * Double.random(in: 0...1)
    }
}
