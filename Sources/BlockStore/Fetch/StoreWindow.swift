internal import Support

/// How much may be asked of one store at once, in slots: grows while answers come soon, shrinks when they pile up.
///
/// More under way than round trip times bandwidth only makes queues: on a slow line a reader's block would wait
/// behind megabytes, and requests would time out though the line is busy all the time.
///
/// A window of a few MiB would take many round trips to grow to what a fast line far away carries. So answers that come
/// as soon as ever let it grow eightfold with every round trip; on a slow line only the very first comes that soon.
struct StoreWindow {
    /// What is added for each slot that is answered at once.
    private static let leap = 7.0
    /// Answers within this, and twice the best time seen, mean that there is room for more.
    private static let comfortable = Duration.seconds(1)
    private static let late = Duration.seconds(2)

    private(set) var used = 0
    private var requests = 0
    private var limit: Double
    private let largest: Double
    private var best: Duration?
    private var lastCut = Deadline(nanoseconds: 0)

    /// - Parameter largest: the whole window; an eighth of it is allowed at first.
    init(largest: Int) {
        self.largest = Double(largest)
        limit = Double(max(1, largest / 8))
    }

    /// Whether one more request may go out.
    ///
    /// - Parameters:
    ///   - isDemand: what somebody waits for may exceed the window by an eighth, and by one block always.
    ///   - parallel: requests that the store sends at once; further ones would wait within it, out of order. An eighth
    ///     is kept for demand.
    func hasRoom(for slots: Int, isDemand: Bool, parallel: Int?) -> Bool {
        if used == 0 { return true }
        if let parallel, requests >= (isDemand ? parallel + parallel / 4 : parallel - parallel / 8) { return false }
        return Double(used + slots) <= (isDemand ? limit + max(limit / 8, Double(slots)) : limit)
    }

    mutating func take(_ slots: Int) {
        used += slots
        requests += 1
    }

    /// A request ended after `time`.
    mutating func give(_ slots: Int, after time: Duration, _ error: StoreError?) {
        used = max(0, used - slots)
        requests = max(0, requests - 1)
        switch error {
        case nil, .missing:
            let best = min(self.best ?? time, time)
            self.best = best
            if time <= best + best / 2 {
                limit = min(largest, limit + Self.leap * Double(slots))
            } else if time <= Self.comfortable + best * 2 {
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
