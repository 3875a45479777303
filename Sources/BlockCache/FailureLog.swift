internal import Logging
internal import Support
internal import Synchronization

/// Says that the cache could not store, once a minute at most: a full disk would else fill the log too. Thread-safe.
final class FailureLog: Sendable {
    private let logger = Logger(label: "flist.cache")
    private let next = Atomic<UInt64>(0)
    private let interval: UInt64 = 60_000_000_000
    /// How often something was to be said.
    let count = Atomic<Int>(0)

    /// Says `message`, which names the thing and the way out.
    func report(_ message: @autoclosure () -> String) {
        count.add(1, ordering: .relaxed)
        let now = Deadline.now.nanoseconds
        let due = next.load(ordering: .relaxed)
        guard now >= due,
            next.compareExchange(expected: due, desired: now + interval, ordering: .relaxed).exchanged
        else { return }
        logger.warning("\(message())")
    }

    /// Says what was mended or removed; not held back.
    func note(_ message: String) { logger.notice("\(message)") }
}
