internal import Support

/// A lock for each key: work on one key is done one after the other, on different keys at the same time.
///
/// Thread-safe. Not reentrant; locks exist only while they are held.
final class KeyedLocks: Sendable {
    /// Since when each lock has been held.
    private let held = Monitor<[String: Deadline]>([:])

    /// Waits for the key's lock, and holds it during `body`, which may block.
    func withLock<Result>(_ key: String, _ body: () throws(FlistError) -> Result) throws(FlistError) -> Result {
        held.wait { Self.take(key, &$0) ? () : nil }
        defer { release(key) }
        return try body()
    }

    /// As `withLock`, but nil without running `body` once somebody has held the key's lock for so long.
    ///
    /// Who waits behind many that are quick waits for all of them; behind one that is slow nobody queues up.
    func withLock<Result>(
        _ key: String, within limit: Duration, _ body: () throws(FlistError) -> Result
    ) throws(FlistError) -> Result? {
        var since = Deadline.now
        while true {
            let end = since.advanced(by: limit)
            let outcome = held.wait(until: end) { held -> Deadline? in
                guard let other = held[key] else {
                    held[key] = .now
                    return .never
                }
                // The lock has changed hands: its holder has time of its own.
                return other != since && other.advanced(by: limit) > .now ? other : nil
            }
            guard let outcome else { return nil }
            if outcome == .never { break }
            since = outcome
        }
        defer { release(key) }
        return try body()
    }

    /// As `withLock`, but nil without running `body` if someone holds the key's lock.
    func withLockIfFree<Result>(_ key: String, _ body: () throws(FlistError) -> Result) throws(FlistError) -> Result? {
        guard held.withLock({ Self.take(key, &$0) }) else { return nil }
        defer { release(key) }
        return try body()
    }

    private static func take(_ key: String, _ held: inout [String: Deadline]) -> Bool {
        guard held[key] == nil else { return false }
        held[key] = .now
        return true
    }

    private func release(_ key: String) {
        held.withLock { $0[key] = nil }
        held.broadcast()
    }
}
