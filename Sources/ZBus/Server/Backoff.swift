/// Growing pauses between attempts, from 50 ms to 2 s, shortened at random so that not all nodes come at once.
struct Backoff {
    private var pause = Duration.milliseconds(50)

    /// The pause before the next attempt.
    mutating func next() -> Duration {
        defer { pause = min(pause * 2, .seconds(2)) }
        return pause * Double.random(in: 0.5...1)
    }
}
