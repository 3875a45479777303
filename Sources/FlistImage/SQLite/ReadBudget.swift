internal import Glibc

/// How much work reading a database may take, in SQLite's steps and in the processor's time. Used by one thread.
///
/// Pages of a damaged file may refer to each other in circles, and a thousand rows may share one value of many
/// megabytes: steps tell of the first, time of the second.
final class ReadBudget {
    private var steps: Int
    private let end: UInt64
    /// Bytes that may be kept of what was read: rows may share one value there, too. A hole, whose row has some 10 bytes,
    /// takes 64 in an index; all else takes a few times what it has in the database.
    let kept: Int

    /// - Parameter size: bytes of the whole database.
    ///
    /// A row takes at least some 25 bytes in its table and indexes, and below 40 steps with the look-ups that go with
    /// it. Sound files are read at 50 MB/s and more.
    convenience init(size: UInt64) {
        let size = min(size, 1 << 40)
        self.init(steps: Int(size) * 4 + 2_000_000, seconds: 60 + size >> 22, kept: Int(size) * 16 + 64 << 20)
    }

    /// - Parameter seconds: of this thread's time on a processor, from now on.
    init(steps: Int, seconds: UInt64, kept: Int = .max) {
        self.steps = steps
        self.kept = kept
        end = Self.threadTime &+ seconds * 1_000_000_000
    }

    /// Takes steps from it; false when it is used up.
    func spend(_ count: Int) -> Bool {
        steps -= count
        return steps >= 0 && Self.threadTime < end
    }

    /// Nanoseconds for which this thread has run: what others do meanwhile and waits for a disk do not count.
    private static var threadTime: UInt64 { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
