internal import Support
internal import Synchronization

/// When bytes came last. Thread-safe.
final class ProgressClock: Sendable {
    private let nanoseconds = Atomic<UInt64>(0)

    /// Bytes came just now.
    func tick(_ now: Deadline = .now) { nanoseconds.store(now.nanoseconds, ordering: .relaxed) }

    /// The machine's boot if none came yet.
    var last: Deadline { Deadline(nanoseconds: nanoseconds.load(ordering: .relaxed)) }
}
