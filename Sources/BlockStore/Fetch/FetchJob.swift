internal import BlockCodec
internal import Support

/// One block under way, for all who wait for it.
///
/// Everything that changes is guarded by the lock of the `FetchCore` that made it.
final class FetchJob: @unchecked Sendable {
    enum Phase {
        /// In a queue.
        case queued
        /// A store was asked; the request is in `current`.
        case attempting
        /// All stores failed; tried again at `retryAt`.
        case pausing
        /// The stored bytes are with the decode threads.
        case decoding
        case finished
    }

    struct Waiter {
        let number: UInt64
        let joined: Deadline
        let deadline: Deadline
        let completion: BlockFetcher.Completion
    }

    /// A request that is under way.
    struct Attempt {
        let number: UInt64
        let store: RoutedStore
        let request: StoreRequest
        /// Whether it was made while another was under way.
        let isHedge: Bool
        /// When it began, or bytes came for it last.
        var lastLife: Deadline

        /// When the fetcher ends it, unless bytes come before.
        var silentAt: Deadline { lastLife.advanced(by: request.patience) }

        mutating func noteLife() { lastLife = max(lastLife, request.lastByte ?? lastLife) }
    }

    /// The last thing a store said, and how often it failed.
    struct Failure {
        let store: RoutedStore
        var error: StoreError
        var count: Int
    }

    let reference: BlockReference
    let maximumStoredLength: Int
    /// Bytes that the job is counted with while it is under way, beside its plain bytes while they are made.
    let cost: Int
    var routers: [BlockRouter]
    var fetchClass: FetchClass
    var phase = Phase.queued
    /// Tells the one valid entry in the queues from those left behind by a lift.
    var queueEntry: UInt64 = 0
    var waiters: [Waiter] = []
    /// Counts attempts, so that what belongs to an earlier one is known.
    var attempts: UInt64 = 0
    /// Nil unless the phase is `attempting`.
    var current: Attempt?
    /// The same block asked of a second store.
    var hedge: Attempt?
    /// When the current attempt is late.
    var hedgeAt = Deadline.never
    var candidates: [RoutedStore] = []
    var failures: [Failure] = []
    var round = 0
    var retryAt = Deadline.never
    var holdsBudget = false
    /// When the timer will look at this job next.
    var armedFor = Deadline.never
    /// How long its waiters wait while nothing comes.
    let patience: Duration
    /// When bytes of any block came from a store that has this one; looked up while it is queued only.
    var storeLife = Deadline(nanoseconds: 0)

    init(_ reference: BlockReference, router: BlockRouter, fetchClass: FetchClass, patience: Duration) {
        self.reference = reference
        self.patience = patience
        self.fetchClass = fetchClass
        routers = [router]
        maximumStoredLength = reference.codec.maximumStoredLength(plainLength: reference.plainLength)
        cost = maximumStoredLength
    }

    /// The latest moment anybody waits for.
    var deadline: Deadline { waiters.map(\.deadline).max() ?? .now }

    /// The next moment at which something is to be done if nothing happens before.
    var nextEvent: Deadline {
        var next = waiters.map { expiry($0) }.min() ?? .never
        if phase == .attempting {
            for attempt in [current, hedge] { if let attempt { next = min(next, attempt.silentAt) } }
            if mayHedge { next = min(next, hedgeAt) }
        }
        if phase == .pausing { next = min(next, retryAt) }
        return next
    }

    /// Whether a second store is to be asked once the first is late.
    var mayHedge: Bool { fetchClass == .demand && hedge == nil && !candidates.isEmpty }

    var storeFailures: [StoreFailure] {
        failures.map { StoreFailure(address: $0.store.address, error: $0.error) }
    }

    /// The same at a deadline: those that are being asked did not answer in time.
    var lateness: [StoreFailure] {
        let asked = [current, hedge].compactMap { $0?.store }
        return storeFailures.filter { failure in !asked.contains { $0.address == failure.address } }
            + asked.map { StoreFailure(address: $0.address, error: .timedOut) }
    }

    /// All stores of all routers, best first, each address once.
    func replicas() -> [RoutedStore] {
        guard routers.count > 1 else { return routers.first?.replicas(for: reference.id) ?? [] }
        var urls: Set<StoreURL> = []
        return routers.flatMap { $0.replicas(for: reference.id) }.filter { urls.insert($0.url).inserted }
    }

    /// The same address as others have it open, when one who wanted the block has closed their own.
    func stores(insteadOf store: RoutedStore) -> [RoutedStore] {
        guard routers.count > 1 else { return [] }
        let asked = [current, hedge].compactMap { $0?.store } + candidates
        let open = routers.flatMap { $0.replicas(for: reference.id) }.first { other in
            other.url == store.url && !other.isClosed && !asked.contains { $0 === other }
        }
        return open.map { [$0] } ?? []
    }

    /// - Parameter time: how long the store had for it.
    func note(_ error: StoreError, from store: RoutedStore, within time: Duration) {
        if let index = failures.firstIndex(where: { $0.store.url == store.url }) {
            // The end of the wait may have cut a try short: what the store said before is truer then.
            if error != .timedOut || time * 2 > patience { failures[index].error = error }
            failures[index].count += 1
        } else {
            failures.append(Failure(store: store, error: error, count: 1))
        }
    }

    /// The stores for the next round, best first: none unless some failure may pass by itself.
    func replicasWorthTrying() -> [RoutedStore] {
        let all = replicas()
        if failures.isEmpty { return all }
        let spent = failures.filter { failure in
            if case .corrupt = failure.error { return failure.count >= 2 }
            return !Self.mayPass(failure)
        }
        return all.filter { store in !spent.contains { $0.store.url == store.url } }
    }

    /// True when asking the stores again after a pause makes sense.
    var mayPass: Bool { failures.contains { Self.mayPass($0) } }

    static func mayPass(_ failure: Failure) -> Bool {
        switch failure.error {
        case .unreachable, .timedOut, .busy: true
        // One that refuses a password will not change its mind.
        case .refused, .protocolViolation: failure.count < 3
        case .missing, .corrupt, .tooLarge, .cancelled: false
        }
    }
}
