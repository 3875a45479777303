internal import Support

/// Keeps the collection from removing a flist that a fetch is about to answer. Thread-safe.
final class FlistHolds: Sendable {
    private struct State {
        var counts: [Digest: Int] = [:]
        var beingRemoved: Digest?
    }

    private let state = Monitor(State())

    /// Waits until nobody is removing it.
    func hold(_ md5: Digest) {
        state.wait { state -> Void? in
            guard state.beingRemoved != md5 else { return nil }
            state.counts[md5, default: 0] += 1
            return ()
        }
    }

    func release(_ md5: Digest) {
        state.withLock { state in
            let count = (state.counts[md5] ?? 0) - 1
            state.counts[md5] = count > 0 ? count : nil
        }
    }

    /// Runs `body` while nobody holds the flist; answers nil without running it when somebody does. One thread at a
    /// time.
    func remove<Value>(_ md5: Digest, _ body: () -> Value?) -> Value? {
        let isFree = state.wait { state -> Bool? in
            guard state.beingRemoved == nil else { return nil }
            guard state.counts[md5] == nil else { return false }
            state.beingRemoved = md5
            return true
        }
        guard isFree else { return nil }
        defer {
            state.withLock { $0.beingRemoved = nil }
            state.broadcast()
        }
        return body()
    }
}
