internal import Glibc
internal import Support

/// The connections to one server and what waits for them. Belongs to the thread of the `NetworkLoop`.
///
/// `@unchecked`: it is made elsewhere, and touched by that thread alone afterwards.
final class RedisConnectionGroup: @unchecked Sendable {
    /// Requests on one connection at most. How many are under way is the fetcher's matter: its window fits in four.
    private static let depth = 1024
    /// While further connections are on their way, this much goes to one that is there.
    private static let depthAtStart = 64
    /// One more connection for so many requests.
    private static let requestsPerConnection = 8
    /// How long a connection may show no sign of life after a reply was due.
    private static let grace = Duration.seconds(2)
    private static let connectTimeout = Duration.seconds(5)
    private static let reconnectPause = Duration.milliseconds(200)

    private let url: StoreURL
    private let loop: NetworkLoop
    private let limit: Int
    private var connections: [RedisConnection] = []
    private var connecting = 0
    private var waiting: [StoreRequest] = []
    private var head = 0
    private var mayConnectAt = Deadline.now
    private var sweepAt = Deadline.never
    private var isClosed = false

    init(_ url: StoreURL, _ loop: NetworkLoop) {
        self.url = url
        self.loop = loop
        // Four keep a fast network busy when one waits for a large block.
        limit = url.connections ?? 4
    }

    func enqueue(_ requests: [StoreRequest]) {
        if isClosed {
            for request in requests { request.cancel() }
            return
        }
        waiting.append(contentsOf: requests)
        for request in requests { sweep(by: min(request.deadline, .after(request.patience))) }
        dispatch()
    }

    /// Hands waiting requests to connections, and opens connections as they are needed.
    func dispatch() {
        defer {
            if head == waiting.count || head >= 1024 {
                waiting.removeFirst(head)
                head = 0
            }
        }
        guard head < waiting.count, !isClosed else { return }
        let usable = connections.filter { !$0.isOverdue }
        let wanted = waiting.count - head + usable.reduce(0) { $0 + $1.load }
        let target = min(limit, 1 + wanted / Self.requestsPerConnection)
        // A stuck connection does not count, but it keeps its place until it is closed: twice the limit at most.
        if mayConnectAt.hasPassed {
            while usable.count + connecting < target, connections.count + connecting < 2 * limit { connect() }
        } else {
            sweep(by: mayConnectAt)
        }
        let depth = connecting > 0 ? Self.depthAtStart : Self.depth
        while head < waiting.count {
            let request = waiting[head]
            if request.isFinished {
                head += 1
                continue
            }
            guard let best = usable.min(by: { $0.load < $1.load }), best.load < depth, !best.isClosed else { return }
            head += 1
            best.send(request)
        }
    }

    /// Connecting blocks (DNS, the login): a thread of its own for a moment.
    private func connect() {
        connecting += 1
        let (url, loop) = (url, loop)
        do throws(FlistError) {
            try WorkerThread("store-connect") { [self] in
                let result: Result<Int32, StoreError>
                do throws(StoreError) {
                    let link = try StoreLink(url, timeout: Self.connectTimeout)
                    result = .success(try link.releaseDescriptor())
                } catch {
                    result = .failure(error)
                }
                // The loop's thread runs, since it made this one.
                try? loop.post { [self] in connected(result) }
            }.detach()
        } catch {
            let reason = error.description
            try? loop.post { [self] in connected(.failure(.unreachable(reason))) }
        }
    }

    private func connected(_ result: Result<Int32, StoreError>) {
        connecting -= 1
        switch result {
        case .success(let fd):
            if isClosed {
                close(fd)
                return
            }
            do throws(Errno) {
                connections.append(try RedisConnection(fd, self, loop))
            } catch {
                close(fd)
                failWaiting(.unreachable("cannot wait for the socket: \(error)"))
            }
        case .failure(let error):
            // Where one is there, if stuck, requests go on waiting: another try at once would be the first of many.
            if !connections.isEmpty { mayConnectAt = .after(Self.reconnectPause) }
            failWaiting(error)
        }
        dispatch()
    }

    /// Without any connection, and none on its way, waiting is pointless.
    private func failWaiting(_ error: StoreError) {
        guard connections.isEmpty, connecting == 0 else { return }
        let failed = waiting[head...]
        waiting = []
        head = 0
        for request in failed { request.complete(.failure(error)) }
    }

    /// A connection ended. One that never gave an answer says that others would not either.
    func lost(_ connection: RedisConnection, _ error: StoreError?) {
        connections.removeAll { $0 === connection }
        if let error { failWaiting(error) }
    }

    private func sweep(by time: Deadline) {
        guard time < sweepAt else { return }
        // Not more often than this: deadlines of one batch differ by little.
        let time = max(time, .after(.milliseconds(5)))
        sweepAt = time
        loop.at(time) { [self] in if sweepAt == time { sweep() } }
    }

    private func sweep() {
        sweepAt = .never
        let now = Deadline.now
        var next = Deadline.never
        for request in waiting[head...] where !request.isFinished {
            if request.deadline <= now {
                request.complete(.failure(.timedOut))
            } else {
                next = min(next, request.deadline)
            }
        }
        for connection in connections { next = min(next, connection.sweep(grace: Self.grace)) }
        if next < .never { sweep(by: next) }
        dispatch()
    }

    func closeAll() {
        isClosed = true
        for connection in connections { connection.end(.cancelled) }
        for request in waiting[head...] { request.cancel() }
        waiting = []
        head = 0
    }
}
