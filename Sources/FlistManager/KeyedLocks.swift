internal import Support

/// A lock for each key: work on one key is done one after the other, on different keys at the same time.
///
/// Thread-safe. Not reentrant; locks exist only while they are held.
final class KeyedLocks: Sendable {
    private let held = Monitor<Set<String>>([])

    /// Waits for the key's lock, and holds it during `body`, which may block.
    func withLock<Result>(_ key: String, _ body: () throws(FlistError) -> Result) throws(FlistError) -> Result {
        held.wait { $0.insert(key).inserted ? () : nil }
        defer { release(key) }
        return try body()
    }

    /// As `withLock`, but nil without running `body` if someone holds the key's lock for all that time.
    func withLock<Result>(
        _ key: String, within limit: Duration, _ body: () throws(FlistError) -> Result
    ) throws(FlistError) -> Result? {
        guard held.wait(until: .after(limit), for: { $0.insert(key).inserted ? true : nil }) == true else { return nil }
        defer { release(key) }
        return try body()
    }

    /// As `withLock`, but nil without running `body` if someone holds the key's lock.
    func withLockIfFree<Result>(_ key: String, _ body: () throws(FlistError) -> Result) throws(FlistError) -> Result? {
        guard held.withLock({ $0.insert(key).inserted }) else { return nil }
        defer { release(key) }
        return try body()
    }

    private func release(_ key: String) {
        held.withLock { _ = $0.remove(key) }
        held.broadcast()
    }
}
