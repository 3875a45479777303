internal import Support

/// Calls back for jobs at moments asked for: one thread and a heap.
final class FetchTimer: Sendable {
    private struct Entry {
        let time: Deadline
        let job: FetchJob
    }

    private struct State {
        // A binary heap, the earliest first.
        var heap: [Entry] = []
        var compactAbove = 4096
        var isStopped = false
    }

    private let state = Monitor(State())

    /// Returns true when so many entries have gathered that `compact` is due.
    func add(_ job: FetchJob, at time: Deadline) -> Bool {
        let (isFirst, isFull) = state.withLock { state -> (Bool, Bool) in
            state.heap.append(Entry(time: time, job: job))
            var child = state.heap.count - 1
            while child > 0, state.heap[child].time < state.heap[(child - 1) / 2].time {
                state.heap.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
            return (child == 0, state.heap.count > state.compactAbove)
        }
        if isFirst { state.signal() }
        return isFull
    }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.heap = []
        }
        state.broadcast()
    }

    /// The thread's body: hands out jobs whose time has come until `stop`.
    func run(_ fire: (FetchJob) -> Void) {
        while true {
            let next = state.withLock { $0.heap.first?.time } ?? .never
            let due = state.wait(until: next) { state -> [FetchJob]? in
                if state.isStopped { return [] }
                let now = Deadline.now
                guard let first = state.heap.first else { return nil }
                // An earlier one came: wait for that instead.
                if first.time > now { return first.time < next ? [] : nil }
                var due: [FetchJob] = []
                while let first = state.heap.first, first.time <= now {
                    due.append(first.job)
                    Self.removeFirst(&state.heap)
                }
                return due
            }
            if state.withLock({ $0.isStopped }) { return }
            for job in due ?? [] { fire(job) }
        }
    }

    /// Drops what `isDead` says: most fetches end long before their deadline.
    func compact(_ isDead: (FetchJob) -> Bool) {
        state.withLock { state in
            let alive = state.heap.filter { !isDead($0.job) }
            state.heap = alive.sorted { $0.time < $1.time }
            state.compactAbove = max(4096, 2 * alive.count)
        }
    }

    private static func removeFirst(_ heap: inout [Entry]) {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1].time < heap[child].time { child += 1 }
            guard heap[child].time < heap[parent].time else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}
