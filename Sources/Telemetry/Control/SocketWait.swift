internal import Glibc
internal import Support

/// Waiting for descriptors.
enum SocketWait {
    /// poll(2) until something happens or the deadline has passed; false when the call itself fails.
    static func wait(_ events: inout [pollfd], until deadline: Deadline) -> Bool {
        while true {
            let (seconds, fraction) = deadline.remaining.components
            // Rounded up, so as not to spin through the last millisecond; an hour at most, which poll(2) can count.
            let time =
                seconds >= 3600
                ? 3_600_000 : Int32(seconds * 1000 + (fraction + 999_999_999_999_999) / 1_000_000_000_000_000)
            let count = poll(&events, nfds_t(events.count), time)
            if count > 0 { return true }
            if count < 0, Errno.current != .interrupted { return false }
            if deadline.hasPassed { return true }
        }
    }

    /// Waits until one descriptor can be read or written; false when the deadline passes first.
    static func wait(_ descriptor: Int32, _ kind: Int32, until deadline: Deadline) -> Bool {
        var events = [pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: kind), revents: 0)]
        return wait(&events, until: deadline) && events[0].revents != 0
    }
}
