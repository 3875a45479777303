internal import Support

/// Bounds the bytes that are under way, and lets one wait until all are done. Thread-safe.
final class FlightLimit: Sendable {
    private struct State {
        var count = 0
        var bytes = 0
    }

    private let maximumCount: Int
    private let maximumBytes: Int
    private let state = Monitor(State())

    init(count: Int, bytes: Int) {
        maximumCount = count
        maximumBytes = bytes
    }

    /// Waits until there is room; what is larger than the limit goes alone.
    func enter(_ bytes: Int) {
        state.wait { state -> Void? in
            guard state.count < maximumCount, state.count == 0 || state.bytes + bytes <= maximumBytes else {
                return nil
            }
            state.count += 1
            state.bytes += bytes
            return ()
        }
    }

    func leave(_ bytes: Int) {
        state.withLock { state in
            state.count -= 1
            state.bytes -= bytes
        }
        state.broadcast()
    }

    /// Returns when nothing is under way.
    func drain() { state.wait { $0.count == 0 ? () : nil } }
}
