/// How many requests may be made a second time while the first is still under way: 4 of 100, and a few at once.
///
/// Without a bound, a store that is late since it has too much to do would be given twice as much.
struct HedgeAllowance {
    private static let share = 0.04
    private static let most = 8.0

    private var tokens = most

    mutating func earn() { tokens = min(Self.most, tokens + Self.share) }

    mutating func spend() -> Bool {
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
