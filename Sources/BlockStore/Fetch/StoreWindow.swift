internal import Support

/// How much may be asked of one store at once, in slots: grows while answers come soon, shrinks when they pile up.
///
/// More under way than round trip times bandwidth only makes queues: on a slow line a reader's block would wait
/// behind megabytes, and requests would time out though the line is busy all the time.
struct StoreWindow {
    /// Answers within this, and twice the best time seen, mean that there is room for more.
    private static let comfortable = Duration.seconds(1)
    private static let late = Duration.seconds(2)

    private(set) var used = 0
    private var limit: Double
    private let largest: Double
    private var best: Duration?
    private var lastCut = Deadline(nanoseconds: 0)

    /// - Parameter largest: the whole window; an eighth of it is allowed at first and doubles with every round trip.
    init(largest: Int) {
        self.largest = Double(largest)
        limit = Double(max(1, largest / 8))
    }

    func hasRoom(for slots: Int) -> Bool { used == 0 || Double(used + slots) <= limit }

    mutating func take(_ slots: Int) { used += slots }

    /// A request ended after `time`.
    mutating func give(_ slots: Int, after time: Duration, _ error: StoreError?) {
        used = max(0, used - slots)
        switch error {
        case nil, .missing:
            let best = min(self.best ?? time, time)
            self.best = best
            if time <= Self.comfortable + best * 2 {
                limit = min(largest, limit + Double(slots))
            } else if time > Self.late + best * 2 {
                cut(to: 0.75, after: time)
            }
        case .timedOut: cut(to: 0.5, after: time)
        default: break
        }
    }

    /// Once for all that was under way together: their lateness has one cause.
    private mutating func cut(to share: Double, after time: Duration) {
        let now = Deadline.now.nanoseconds
        let started = now &- UInt64(max(0, time / .nanoseconds(1)))
        guard started >= lastCut.nanoseconds else { return }
        lastCut = Deadline(nanoseconds: now)
        limit = max(1, limit * share)
    }
}
