internal import CLinux
internal import Glibc
internal import Support

/// One thread that waits for the sockets of all Redis connections of the process.
///
/// Made with the first connection; it stays. Everything but `post` is for its own thread: what is posted runs there.
final class NetworkLoop: @unchecked Sendable {
    /// A socket with somebody who reads and writes it.
    protocol Channel: AnyObject {
        func ready(_ events: UInt32)
        /// Called once at the end of a turn of the loop after `flushLater`.
        func flush()
    }

    private struct Timer {
        let time: Deadline
        let work: () -> Void
    }

    private struct Inbox {
        var work: [@Sendable () -> Void] = []
        var isAwake = false
        var isStarted = false
    }

    static let shared = NetworkLoop()

    private let inbox = Monitor(Inbox())
    private let epoll: Int32
    private let wakeup: Int32
    // The rest belongs to the loop's thread.
    private var channels: [UInt64: any Channel] = [:]
    private var lastToken: UInt64 = 0
    private var timers: [Timer] = []
    private var unflushed: [any Channel] = []
    /// Where replies arrive first; shared by all connections, since they are read one after the other.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 4096)

    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: 0))
        epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event)
    }

    /// Runs `work` on the loop's thread soon. Throws when there is no such thread and none can be made.
    func post(_ work: @escaping @Sendable () -> Void) throws(FlistError) {
        let (start, wake) = inbox.withLock { inbox -> (Bool, Bool) in
            inbox.work.append(work)
            defer {
                inbox.isStarted = true
                inbox.isAwake = true
            }
            return (!inbox.isStarted, !inbox.isAwake)
        }
        if start {
            do throws(FlistError) {
                guard epoll >= 0, wakeup >= 0 else {
                    throw FlistError("cannot wait for sockets", errno: Errno(rawValue: EMFILE))
                }
                try WorkerThread("stores") { [self] in run() }.detach()
            } catch {
                inbox.withLock { inbox in
                    inbox.isStarted = false
                    inbox.isAwake = false
                    inbox.work = []
                }
                throw error
            }
        }
        if wake {
            var one: UInt64 = 1
            _ = write(wakeup, &one, 8)
        }
    }

    func add(_ fd: Int32, _ channel: any Channel) throws(Errno) -> UInt64 {
        lastToken += 1
        var event = epoll_event(events: Self.reading, data: epoll_data_t(u64: lastToken))
        _ = try systemCall { epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) }
        channels[lastToken] = channel
        return lastToken
    }

    /// Says whether room for writing is waited for too.
    func change(_ fd: Int32, token: UInt64, writing: Bool) {
        let events = writing ? Self.reading | EPOLLOUT.rawValue : Self.reading
        var event = epoll_event(events: events, data: epoll_data_t(u64: token))
        epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event)
    }

    /// Before the descriptor is closed.
    func remove(_ fd: Int32, token: UInt64) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nil)
        channels[token] = nil
    }

    /// Calls `flush` at the end of this turn: small requests of one turn leave in one write.
    func flushLater(_ channel: any Channel) { unflushed.append(channel) }

    /// Runs `work` at a time. Few are pending at once: one for each store.
    func at(_ time: Deadline, _ work: @escaping () -> Void) { timers.append(Timer(time: time, work: work)) }

    private static let reading = EPOLLIN.rawValue | EPOLLRDHUP.rawValue

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(epoll, &events, Int32(events.count), timeout())
            for event in events.prefix(max(0, Int(count))) {
                if event.data.u64 == 0 {
                    var value: UInt64 = 0
                    _ = read(wakeup, &value, 8)
                } else {
                    channels[event.data.u64]?.ready(event.events)
                }
            }
            let work = inbox.withLock { inbox -> [@Sendable () -> Void] in
                defer { inbox.work = [] }
                inbox.isAwake = false
                return inbox.work
            }
            for item in work { item() }
            fireTimers()
            while let channel = unflushed.popLast() { channel.flush() }
        }
    }

    /// Milliseconds for epoll, rounded up; -1 for no timer.
    private func timeout() -> Int32 {
        guard let next = timers.map(\.time).min() else { return -1 }
        let now = Deadline.now.nanoseconds
        guard next.nanoseconds > now else { return 0 }
        return Int32(clamping: (next.nanoseconds - now + 999_999) / 1_000_000)
    }

    private func fireTimers() {
        guard !timers.isEmpty else { return }
        let now = Deadline.now
        let due = timers.filter { $0.time <= now }
        guard !due.isEmpty else { return }
        timers.removeAll { $0.time <= now }
        for timer in due { timer.work() }
    }
}
