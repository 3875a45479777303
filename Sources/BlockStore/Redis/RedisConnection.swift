internal import BlockCodec
internal import CLinux
internal import Glibc
internal import Support

/// A socket with many GETs under way, replies in order. Belongs to the thread of the `NetworkLoop`.
final class RedisConnection: NetworkLoop.Channel {
    private let fd: Int32
    private let loop: NetworkLoop
    private unowned let group: RedisConnectionGroup
    private var token: UInt64 = 0
    private var reader = RedisReplyReader()
    private var output: [UInt8] = []
    private var sent = 0
    private var isWaitingForRoom = false
    private var isFlushing = false
    private(set) var isClosed = false
    // Requests whose replies are still to come, oldest first. Finished ones stay: their replies come all the same.
    private var slots: [StoreRequest] = []
    private var head = 0
    private let progress = ProgressClock()
    private var hasAnswered = false

    /// At most so much is read before others get their turn.
    private static let turn = 1 << 20

    init(_ fd: Int32, _ group: RedisConnectionGroup, _ loop: NetworkLoop) throws(Errno) {
        self.fd = fd
        self.group = group
        self.loop = loop
        token = try loop.add(fd, self)
    }

    /// Requests whose replies are still to come.
    var load: Int { slots.count - head }

    /// The oldest reply that is still to come.
    var oldest: StoreRequest? { load > 0 ? slots[head] : nil }

    /// When the oldest reply is overdue: at its deadline, or after too long a silence.
    private func overdue(_ oldest: StoreRequest) -> Deadline {
        min(oldest.deadline, progress.last.advanced(by: oldest.patience))
    }

    /// True while a reply is overdue: others do better elsewhere.
    var isOverdue: Bool { oldest.map { overdue($0).hasPassed } ?? false }

    func send(_ request: StoreRequest) {
        if load == 0 { progress.tick() }
        request.follow(progress)
        slots.append(request)
        output.append(contentsOf: "*2\r\n$3\r\nGET\r\n$\(request.id.count)\r\n".utf8)
        request.id.withBytes { output.append(contentsOf: $0) }
        output.append(contentsOf: [13, 10])
        guard !isFlushing, !isWaitingForRoom else { return }
        isFlushing = true
        loop.flushLater(self)
    }

    func flush() {
        isFlushing = false
        guard !isClosed else { return }
        while sent < output.count {
            let count = output.withUnsafeBytes { bytes in
                Glibc.send(fd, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
                continue
            }
            let error = Errno.current
            if error == .interrupted { continue }
            guard error == .again else { return end(.unreachable("the connection broke: \(error)")) }
            isWaitingForRoom = true
            loop.change(fd, token: token, writing: true)
            return
        }
        output.removeAll(keepingCapacity: output.count < 64 << 10)
        sent = 0
        if isWaitingForRoom {
            isWaitingForRoom = false
            loop.change(fd, token: token, writing: false)
        }
    }

    func ready(_ events: UInt32) {
        if events & EPOLLOUT.rawValue != 0 { flush() }
        if !isClosed, events & ~EPOLLOUT.rawValue != 0 { receive() }
        group.dispatch()
    }

    private func receive() {
        var total = 0
        while total < Self.turn, !isClosed {
            let scratch = loop.scratch
            let direct = reader.target ?? UnsafeMutableRawBufferPointer(rebasing: scratch[..<0])
            var parts = [
                iovec(iov_base: direct.baseAddress, iov_len: direct.count),
                iovec(iov_base: scratch.baseAddress, iov_len: scratch.count),
            ]
            let count = readv(fd, &parts, 2)
            if count < 0 {
                let error = Errno.current
                if error == .interrupted { continue }
                if error != .again { end(.unreachable("the connection broke: \(error)")) }
                return
            }
            guard count > 0 else { return end(.unreachable("the server closed the connection")) }
            total += count
            progress.tick()
            oldest?.store.tick()
            let placed = min(count, direct.count)
            if placed > 0 { reader.filled(placed) }
            do throws(RedisReplyReader.Violation) {
                try reader.consume(
                    UnsafeRawBufferPointer(rebasing: scratch[..<(count - placed)]),
                    limit: { () throws(RedisReplyReader.Violation) in
                        guard let oldest else { throw RedisReplyReader.Violation(reason: "a reply to no request") }
                        return oldest.isFinished ? nil : oldest.maximumLength
                    },
                    emit: { take($0) })
            } catch {
                return end(.protocolViolation(error.reason))
            }
            if count < direct.count + scratch.count { return }
        }
    }

    private func take(_ reply: RedisReplyReader.Reply) {
        guard load > 0 else { return }
        hasAnswered = true
        let request = slots[head]
        head += 1
        if head == slots.count || head >= 256 {
            slots.removeFirst(head)
            head = 0
        }
        switch reply {
        case .block(let buffer) where buffer.count > 0: request.complete(.success(buffer))
        // Nothing hashes to an id but what was stored under it: an empty value is a broken one.
        case .block: request.complete(.failure(.corrupt(.wrongID)))
        case .null: request.complete(.failure(.missing))
        case .error(let text): request.complete(.failure(StoreError(redis: text)))
        case .tooLarge: request.complete(.failure(.tooLarge))
        case .skipped: break
        }
    }

    /// Ends waits that are over. A connection on which nothing moves any more is closed.
    func sweep(grace: Duration) -> Deadline {
        let now = Deadline.now
        var next = Deadline.never
        for request in slots[head...] where !request.isFinished {
            if request.deadline <= now {
                request.complete(.failure(.timedOut))
            } else {
                next = min(next, request.deadline)
            }
        }
        if let oldest {
            let limit = max(overdue(oldest), progress.last).advanced(by: grace)
            if limit <= now {
                end(.unreachable("the connection is stuck"))
                return .never
            }
            next = min(next, limit)
        }
        return next
    }

    /// Closes; what was under way fails with `error`.
    func end(_ error: StoreError) {
        guard !isClosed else { return }
        isClosed = true
        loop.remove(fd, token: token)
        close(fd)
        let lost = slots[head...]
        slots = []
        head = 0
        group.lost(self, hasAnswered ? nil : error)
        // A new reader lets go of the buffer that was being filled.
        reader = RedisReplyReader()
        for request in lost { request.complete(.failure(error)) }
        group.dispatch()
    }
}
