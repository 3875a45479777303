internal import BlockCodec
internal import Support

/// The machinery behind `BlockFetcher`: the state under one lock, the threads, and what is done outside the lock.
///
/// No store, completion or thread is called with the lock held: what is to be done is gathered in `Effects`.
final class FetchCore: Sendable {
    /// What a change of state asks for, done after the lock is let go.
    struct Effects {
        var starts: [(store: RoutedStore, request: StoreRequest)] = []
        var deliveries: [FailureQueue.Delivery] = []
        var cancelled: [StoreRequest] = []
        var alarms: [(job: FetchJob, time: Deadline)] = []
    }

    let options: FetcherOptions
    let state: Monitor<FetchState>
    let decodeQueue: DecodeQueue
    private let failureQueue = FailureQueue()
    let timer = FetchTimer()
    private let threads = Monitor<[WorkerThread]?>(nil)

    init(_ options: FetcherOptions) {
        self.options = options
        decodeQueue = DecodeQueue(threads: options.decodeThreads, mostBytes: options.decodedTogether)
        state = Monitor(FetchState(options))
    }

    var statistics: FetchStatistics { state.withLock { $0.currentStatistics } }

    func fetch(
        _ reference: BlockReference, _ router: BlockRouter, _ fetchClass: FetchClass, _ deadline: Deadline,
        _ completion: @escaping BlockFetcher.Completion
    ) -> FetchTicket {
        let job = FetchJob(reference, router: router, fetchClass: fetchClass, patience: options.timeout)
        if let error = refusal(of: reference) {
            job.phase = .finished
            completion(.failure(error))
            return FetchTicket(core: self, job: job, waiter: 0)
        }
        var effects = Effects()
        let joined = state.withLock { state -> (job: FetchJob, waiter: UInt64)? in
            guard !state.isStopped else { return nil }
            let waiter = state.number()
            let target = state.join(job)
            target.waiters.append(
                FetchJob.Waiter(number: waiter, joined: .now, deadline: deadline, completion: completion))
            if target === job { state.enqueue(job) } else { state.lift(target, to: fetchClass) }
            state.arm(target, &effects)
            admit(&state, &effects)
            return (target, waiter)
        }
        guard let joined else {
            job.phase = .finished
            completion(.failure(.cancelled))
            return FetchTicket(core: self, job: job, waiter: 0)
        }
        perform(effects)
        return FetchTicket(core: self, job: joined.job, waiter: joined.waiter)
    }

    /// Why a block cannot even be asked for.
    private func refusal(of reference: BlockReference) -> FetchError? {
        // 0-db holds values of 8 MiB at most; rfs and 0-fs make blocks of 512 KiB.
        guard (1...(128 << 20)).contains(reference.plainLength) else {
            return .failed(reference.id, [StoreFailure(address: "the flist", error: .tooLarge)])
        }
        do throws(FlistError) {
            try startThreads()
            return nil
        } catch {
            return .failed(
                reference.id, [StoreFailure(address: "this process", error: .unreachable(error.description))])
        }
    }

    func cancel(_ job: FetchJob, waiter number: UInt64) {
        var effects = Effects()
        state.withLock { state in
            guard let index = job.waiters.firstIndex(where: { $0.number == number }) else { return }
            let waiter = job.waiters.remove(at: index)
            effects.deliveries.append(FailureQueue.Delivery(waiters: [waiter], error: .cancelled))
            guard job.waiters.isEmpty else { return }
            state.statistics.cancelled += 1
            state.finish(job, &effects)
            admit(&state, &effects)
        }
        perform(effects)
    }

    func lift(_ job: FetchJob, to fetchClass: FetchClass) {
        var effects = Effects()
        state.withLock { state in
            state.lift(job, to: fetchClass)
            state.arm(job, &effects)
            admit(&state, &effects)
        }
        perform(effects)
    }

    /// Does what was asked for, without the lock.
    func perform(_ effects: Effects) {
        var isFull = false
        for alarm in effects.alarms { isFull = timer.add(alarm.job, at: alarm.time) }
        if isFull { state.withLock { _ in timer.compact { $0.phase == .finished } } }
        // A failure that meets a shutdown: its waiters are told from here.
        for delivery in effects.deliveries where !failureQueue.append(delivery) { delivery.deliver() }
        for request in effects.cancelled { request.cancel() }
        // What goes to the same store goes in one call.
        var starts = effects.starts[...]
        while let first = starts.first {
            let same = starts.filter { $0.store === first.store }.map(\.request)
            starts = starts.filter { $0.store !== first.store }[...]
            first.store.get(same)
        }
    }

    private func startThreads() throws(FlistError) {
        try threads.withLock { (threads: inout [WorkerThread]?) throws(FlistError) in
            guard threads == nil else { return }
            var started: [WorkerThread] = []
            started.append(try WorkerThread("fetch-timer") { [self] in timer.run { tick($0) } })
            started.append(try WorkerThread("fetch-failures") { [self] in failureQueue.run() })
            for number in 0..<max(1, options.decodeThreads) {
                do throws(FlistError) {
                    started.append(try WorkerThread("decode-\(number)") { [self] in decodeBlocks() })
                } catch {
                    // Fewer threads are slower; none at all is an error.
                    guard number > 0 else { throw error }
                    break
                }
            }
            threads = started
        }
    }

    /// Cancels everything and tells the threads to end.
    func stop() {
        var effects = Effects()
        state.withLock { state in
            state.isStopped = true
            for job in state.jobs.values {
                effects.deliveries.append(FailureQueue.Delivery(waiters: job.waiters, error: .cancelled))
                state.finish(job, &effects)
            }
        }
        perform(effects)
        timer.stop()
        decodeQueue.stop()
        failureQueue.stop()
    }

    func shutdown() {
        stop()
        for thread in takeThreads() { thread.join() }
    }

    /// As `shutdown`, without waiting: the last reference may go on one of the threads.
    func abandon() {
        stop()
        for thread in takeThreads() { thread.detach() }
    }

    private func takeThreads() -> [WorkerThread] {
        threads.withLock { threads in
            // Not nil: none are started again.
            defer { threads = [] }
            return threads ?? []
        }
    }
}
