internal import Logging
internal import Support
internal import Synchronization

/// Tells the log of messages that are none, once a second at most. Thread-safe.
final class DroppedMessages: Sendable {
    private struct State {
        var next = Deadline.now
        var untold = 0
    }

    private let state = Mutex(State())
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func note(_ payload: [UInt8], _ reason: some CustomStringConvertible) {
        let untold = state.withLock { state -> Int? in
            guard state.next.hasPassed else {
                state.untold += 1
                return nil
            }
            defer { state = State(next: .after(.seconds(1)), untold: 0) }
            return state.untold
        }
        guard let untold else { return }
        let more = untold > 0 ? "; \(untold) more before it" : ""
        logger.warning(
            "dropped a message of \(payload.count) bytes, \(Hex.encode(payload.prefix(32))): \(reason.description)\(more)"
        )
    }
}
