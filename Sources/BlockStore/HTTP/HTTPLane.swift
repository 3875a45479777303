internal import Support
internal import Synchronization

/// One request with what is to be called at its end.
struct HTTPJob: Sendable {
    typealias Completion = @Sendable (Result<HTTPResponse, StoreError>) -> Void

    let request: HTTPRequest
    let lane: HTTPLane
    /// Called exactly once, on the engine's thread, when the request's body is no longer looked at. Must not block.
    let completion: Completion
}

/// The queue of one store, so that a slow one does not hold back the others. Thread-safe but for `work`.
final class HTTPLane: @unchecked Sendable {
    /// The engine's own bookkeeping. Touched by the engine's thread only, which is why the class is unchecked.
    struct Work {
        var active = 0
        private var waiting: [HTTPJob] = []
        private var head = 0

        var isIdle: Bool { active == 0 && head == waiting.count }

        mutating func append(_ job: HTTPJob) { waiting.append(job) }

        mutating func popFirst() -> HTTPJob? {
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
        mutating func remove(where verdict: (HTTPJob) -> StoreError?) -> [(HTTPJob, StoreError)] {
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

    var work = Work()
    private let closed = Atomic(false)

    /// Once closed, the requests of this lane end with `cancelled`.
    var isClosed: Bool { closed.load(ordering: .acquiring) }

    func close() { closed.store(true, ordering: .releasing) }
}
