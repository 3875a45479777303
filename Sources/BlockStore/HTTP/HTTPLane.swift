internal import Support
internal import Synchronization

/// A store as the engine knows it. Thread-safe.
final class HTTPOwner: Sendable {
    /// Scheme, host and port: requests to the same one share its connections.
    let origin: String
    private let closed = Atomic(false)
    /// Requests that go out at once: what its lane allows.
    let parallelRequests: Atomic<Int>

    init(origin: String, _ options: HTTPOptions) {
        self.origin = origin
        parallelRequests = Atomic(HTTPLane.firstLimit(origin, options))
    }

    /// Once closed, its requests end with `cancelled`.
    var isClosed: Bool { closed.load(ordering: .acquiring) }

    func close() { closed.store(true, ordering: .releasing) }
}

/// One request with what is to be called at its end.
struct HTTPJob: Sendable {
    typealias Completion = @Sendable (Result<HTTPResponse, StoreError>) -> Void

    let request: HTTPRequest
    let owner: HTTPOwner
    /// Called exactly once, on the engine's thread, when the request's body is no longer looked at. Must not block.
    let completion: Completion
}

/// The queue of one origin, so that a slow one does not hold back the others. The engine's thread only.
///
/// Transfers wait here rather than within libcurl, where each would hold a handle, and where nobody could look through
/// them for those that are too late.
final class HTTPLane {
    let origin: String
    /// Transfers that libcurl may have at a time.
    private(set) var limit: Int
    /// The shortest time to the first byte of an answer.
    private var roundTrip: Duration?
    var active = 0
    private var waiting: [HTTPJob] = []
    private var head = 0

    init(_ origin: String, _ options: HTTPOptions) {
        self.origin = origin
        limit = Self.firstLimit(origin, options)
    }

    /// Without TLS there is no HTTP/2: its version is known.
    static func firstLimit(_ origin: String, _ options: HTTPOptions) -> Int {
        origin.hasPrefix("https:") ? options.transfersToUnknown : options.connectionsPerHost
    }

    var isIdle: Bool { active == 0 && head == waiting.count }

    /// Takes the limit that the server's version and distance allow.
    ///
    /// - Parameter time: from the start of a transfer to its first byte.
    func learn(isHTTP2: Bool, after time: Duration, _ options: HTTPOptions) {
        let roundTrip = min(self.roundTrip ?? time, time)
        self.roundTrip = roundTrip
        let factor = max(1, min(Double(options.farFactor), roundTrip / options.nearRoundTrip))
        limit = Int(Double(isHTTP2 ? options.transfersPerHost : options.connectionsPerHost) * factor)
    }

    func append(_ job: HTTPJob) { waiting.append(job) }

    func popFirst() -> HTTPJob? {
        guard head < waiting.count else { return nil }
        let job = waiting[head]
        head += 1
        // The front is dropped in large steps: each job is moved at most once on average.
        if head >= 256, head * 2 >= waiting.count {
            waiting.removeFirst(head)
            head = 0
        }
        return job
    }

    /// Takes out the waiting jobs that `verdict` names an error for; order stays.
    func remove(where verdict: (HTTPJob) -> StoreError?) -> [(HTTPJob, StoreError)] {
        var removed: [(HTTPJob, StoreError)] = []
        waiting = waiting[head...].filter { job in
            guard let error = verdict(job) else { return true }
            removed.append((job, error))
            return false
        }
        head = 0
        return removed
    }
}
