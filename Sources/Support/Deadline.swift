internal import Glibc

/// A moment of the monotonic clock, which no change of the wall clock moves.
public struct Deadline: Comparable, Hashable, Sendable {
    /// Since an arbitrary start, the machine's boot on Linux.
    public let nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static var now: Deadline {
        var time = Glibc.timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Deadline(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    public static let never = Deadline(nanoseconds: UInt64(Int64.max))

    /// That long from now; a negative duration is now.
    public static func after(_ duration: Duration) -> Deadline {
        let (now, limit) = (Deadline.now.nanoseconds, never.nanoseconds)
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return Deadline(nanoseconds: now) }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow, whole < limit - now else { return never }
        return Deadline(nanoseconds: min(limit, now + whole + UInt64(attoseconds / 1_000_000_000)))
    }

    /// That much later; a negative duration changes nothing.
    public func advanced(by duration: Duration) -> Deadline {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0, nanoseconds < Self.never.nanoseconds else { return self }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow, whole < Self.never.nanoseconds - nanoseconds else { return .never }
        return Deadline(
            nanoseconds: min(Self.never.nanoseconds, nanoseconds + whole + UInt64(attoseconds / 1_000_000_000)))
    }

    public var hasPassed: Bool { Deadline.now >= self }

    /// Zero once it has passed.
    public var remaining: Duration {
        let now = Deadline.now.nanoseconds
        return .nanoseconds(nanoseconds > now ? Int64(clamping: nanoseconds - now) : 0)
    }

    public static func < (a: Deadline, b: Deadline) -> Bool { a.nanoseconds < b.nanoseconds }

    var timespec: Glibc.timespec {
        Glibc.timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
