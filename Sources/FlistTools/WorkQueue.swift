internal import Support

/// Threads that work off what is added, in order, with a bound for what waits and is under way. Thread-safe.
final class WorkQueue<Item: Sendable>: Sendable {
    private struct State {
        var waiting: [(item: Item, cost: Int)] = []
        var first = 0
        /// Of what waits and of what is under way.
        var cost = 0
        var threads = 0
        var isClosed = false
        var isAborted = false
    }

    private let state = Monitor(State())
    private let costLimit: Int
    private let work: @Sendable (Item) -> Void

    /// Starts the threads; fewer than asked for will do, but not none.
    ///
    /// - Parameters:
    ///   - name: The threads', with a number behind it.
    ///   - costLimit: What waits and is under way costs no more than that, a single item apart.
    init(
        _ name: String, threads: Int, costLimit: Int = .max, work: @escaping @Sendable (Item) -> Void
    ) throws(FlistError) {
        self.costLimit = costLimit
        self.work = work
        for number in 0..<max(1, threads) {
            // Counted before it starts: `finish` may come at once.
            state.withLock { $0.threads += 1 }
            do throws(FlistError) {
                try WorkerThread("\(name)-\(number)") { [self] in run() }.detach()
            } catch {
                state.withLock { $0.threads -= 1 }
                if number == 0 { throw error }
                break
            }
        }
    }

    /// Takes an item, waiting while too much is under way; false once the queue is aborted.
    @discardableResult
    func add(_ item: Item, cost: Int = 0) -> Bool {
        let isTaken = state.wait { state -> Bool? in
            if state.isAborted { return false }
            guard state.cost == 0 || cost <= costLimit - state.cost else { return nil }
            state.waiting.append((item, cost))
            state.cost += cost
            return true
        }
        state.broadcast()
        return isTaken
    }

    /// Drops what waits.
    func abort() {
        state.withLock { state in
            state.isAborted = true
            state.waiting = []
            state.first = 0
        }
        state.broadcast()
    }

    /// Returns when everything is done or dropped, and the threads have ended.
    func finish() {
        state.withLock { $0.isClosed = true }
        state.broadcast()
        state.wait { $0.threads == 0 ? () : nil }
    }

    private func run() {
        while let (item, cost) = next() {
            work(item)
            state.withLock { $0.cost -= cost }
            state.broadcast()
        }
        state.withLock { $0.threads -= 1 }
        state.broadcast()
    }

    private func next() -> (item: Item, cost: Int)? {
        state.wait { state -> (item: Item, cost: Int)?? in
            if state.isAborted { return .some(nil) }
            guard state.first < state.waiting.count else { return state.isClosed ? .some(nil) : nil }
            let next = state.waiting[state.first]
            state.first += 1
            if state.first == state.waiting.count || state.first > 256 {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            return .some(next)
        }
    }
}
