internal import BlockCodec
internal import Support

/// Writes copies of blocks to cache pools on a thread of its own, made when the first copy comes.
///
/// Copies are a favour: when the writer is behind they are dropped, and failures are only counted by the store.
final class CacheWriter: Sendable {
    struct Copy: Sendable {
        let id: Digest
        let stored: BlockBuffer
        let target: RoutedStore
    }

    private struct State {
        var queue: [Copy] = []
        var bytes = 0
        var isRunning = false
        var isClosed = false
        var dropped: UInt64 = 0
    }

    /// What may wait: bytes bound large blocks, the count bounds small ones.
    private static let maximumCount = 256
    private static let maximumBytes = 16 << 20

    private let state = Monitor(State())

    var dropped: UInt64 { state.withLock { $0.dropped } }

    func enqueue(_ copy: Copy) {
        let start = state.withLock { state -> Bool in
            guard !state.isClosed, state.queue.count < Self.maximumCount,
                state.bytes + copy.stored.count <= Self.maximumBytes
            else {
                state.dropped += 1
                return false
            }
            state.queue.append(copy)
            state.bytes += copy.stored.count
            defer { state.isRunning = true }
            return !state.isRunning
        }
        state.signal()
        guard start else { return }
        let state = state
        do throws(FlistError) {
            try WorkerThread("store-copies") { Self.run(state) }.detach()
        } catch {
            state.withLock { state in
                state.isRunning = false
                state.dropped += UInt64(state.queue.count)
                state.queue = []
                state.bytes = 0
            }
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.queue = []
        }
        state.broadcast()
    }

    private static func run(_ state: Monitor<State>) {
        while true {
            let copies = state.wait { state -> [Copy]? in
                if state.isClosed { return [] }
                guard !state.queue.isEmpty else { return nil }
                defer { state.queue = [] }
                return state.queue
            }
            if copies.isEmpty { return }
            for copy in copies {
                try? copy.target.put([StoredBlock(copy.id, copy.stored.bytes)])
                state.withLock { $0.bytes -= copy.stored.count }
            }
        }
    }
}
