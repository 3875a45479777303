internal import BlockCodec
internal import Support

/// Threads that write blocks to files: the fetcher's must not wait for a disk. Thread-safe.
final class WriteQueue: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var first = 0
        var isClosed = false
        var threads = 0
    }

    private let state = Monitor(State())

    init(threads: Int) throws(FlistError) {
        for number in 0..<max(1, threads) {
            state.withLock { $0.threads += 1 }
            do throws(FlistError) {
                try WorkerThread("unpack-\(number)") { [self] in run() }.detach()
            } catch {
                state.withLock { $0.threads -= 1 }
                if number == 0 { throw error }
                break
            }
        }
    }

    /// Has a job done on one of the threads. How many wait is bounded by whoever adds.
    func add(_ job: @escaping @Sendable () -> Void) {
        state.withLock { $0.jobs.append(job) }
        state.broadcast()
    }

    /// Returns when all jobs are done and the threads have ended.
    func finish() {
        state.withLock { $0.isClosed = true }
        state.broadcast()
        state.wait { $0.threads == 0 ? () : nil }
    }

    private func run() {
        while let job = next() { job() }
        state.withLock { $0.threads -= 1 }
        state.broadcast()
    }

    private func next() -> (@Sendable () -> Void)? {
        state.wait { state -> (@Sendable () -> Void)?? in
            guard state.first < state.jobs.count else { return state.isClosed ? .some(nil) : nil }
            let job = state.jobs[state.first]
            state.first += 1
            if state.first == state.jobs.count || state.first > 256 {
                state.jobs.removeFirst(state.first)
                state.first = 0
            }
            return .some(job)
        }
    }
}
