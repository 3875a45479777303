internal import Glibc
internal import Support

/// What the threads of a server know of each other: who is free, what is to be done, and whether it is time to go.
///
/// Thread-safe.
final class Crew: Sendable {
    private struct Worker {
        var isBusy = false
        var since: timespec
        var action = ""
    }

    private struct State {
        var workers: [Worker]
        /// Workers that wait and whom no message is promised.
        var free = 0
        /// Never more than workers wait.
        var messages: [[UInt8]] = []
        var isStopping = false
        var hasReaderEnded = false
        var working = 0
        var isOver = false
    }

    private let state: Monitor<State>

    init(workers: Int) {
        state = Monitor(
            State(
                workers: Array(repeating: Worker(since: Self.now), count: workers)))
    }

    func workerStarted() { state.withLock { $0.working += 1 } }

    /// Waits for a free worker and keeps it for the next message; false when it is time to stop.
    func reserve() -> Bool {
        state.wait { state in
            if state.isStopping { return false }
            guard state.free > 0 else { return nil }
            state.free -= 1
            return true
        }
    }

    /// Gives a message to the worker that was kept.
    func deliver(_ message: [UInt8]) {
        state.withLock { $0.messages.append(message) }
        state.broadcast()
    }

    /// Reports a worker as free and waits for its next message; nil when there will be none any more.
    func next(for worker: Int) -> [UInt8]? {
        state.withLock { state in
            state.workers[worker] = Worker(since: Self.now)
            state.free += 1
        }
        state.broadcast()
        return state.wait { state -> [UInt8]?? in
            guard !state.messages.isEmpty else { return state.hasReaderEnded ? .some(nil) : nil }
            state.workers[worker] = Worker(isBusy: true, since: Self.now)
            return state.messages.removeFirst()
        }
    }

    func note(_ action: String, of worker: Int) { state.withLock { $0.workers[worker].action = action } }

    var status: [ZBusStatus.Worker] {
        state.withLock { state in
            state.workers.map { worker in
                ZBusStatus.Worker(
                    isBusy: worker.isBusy, startSeconds: Int64(worker.since.tv_sec),
                    startNanoseconds: UInt32(clamping: worker.since.tv_nsec), action: worker.action)
            }
        }
    }

    /// No more messages are wanted.
    func stop() {
        state.withLock { $0.isStopping = true }
        state.broadcast()
    }

    func readerEnded() {
        state.withLock { $0.hasReaderEnded = true }
        state.broadcast()
    }

    func workerEnded() {
        state.withLock { $0.working -= 1 }
        state.broadcast()
    }

    /// Waits until every worker has gone; false when some are still at it by then.
    func waitForWorkers(_ deadline: Deadline) -> Bool {
        state.wait(until: deadline) { $0.working == 0 ? true : nil } ?? false
    }

    /// Ends all pauses for good.
    func giveUp() {
        state.withLock { $0.isOver = true }
        state.broadcast()
    }

    /// Waits that long; false when `giveUp` says that it is enough.
    func pause(_ time: Duration) -> Bool { state.wait(until: .after(time)) { $0.isOver ? false : nil } ?? true }

    private static var now: timespec {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time
    }
}
