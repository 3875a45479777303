internal import Support

/// Failures on their way to those who waited, by a thread of their own: decode threads may stand at a disk that is stuck,
/// and who is called back may hold nothing that whoever failed it holds.
final class FailureQueue: Sendable {
    /// One failure and its waiters.
    struct Delivery: Sendable {
        let waiters: [FetchJob.Waiter]
        let error: FetchError

        func deliver() {
            for waiter in waiters { waiter.completion(.failure(error)) }
        }
    }

    private struct State {
        var deliveries: [Delivery] = []
        var isStopped = false
    }

    private let state = Monitor(State())

    /// False when the thread has ended or is about to: then the caller has to deliver.
    func append(_ delivery: Delivery) -> Bool {
        let isTaken = state.withLock { state -> Bool in
            if !state.isStopped { state.deliveries.append(delivery) }
            return !state.isStopped
        }
        if isTaken { state.signal() }
        return isTaken
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        state.broadcast()
    }

    /// The thread's body: delivers until it is stopped and all is delivered.
    func run() {
        while true {
            let next = state.wait { state -> [Delivery]? in
                guard state.isStopped || !state.deliveries.isEmpty else { return nil }
                defer { state.deliveries = [] }
                return state.deliveries
            }
            if next.isEmpty { return }
            for delivery in next { delivery.deliver() }
        }
    }
}
