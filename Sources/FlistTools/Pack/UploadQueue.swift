internal import BlockCodec
internal import BlockStore
internal import Support
internal import Synchronization

/// Writes stored blocks to their stores, several at a time, since a far store answers late. Thread-safe.
final class UploadQueue: Sendable {
    private struct State {
        var waiting: [(id: Digest, stored: BlockBuffer)] = []
        var first = 0
        var bytes = 0
        var isClosed = false
        var isAborted = false
        var threads = 0
    }

    /// Stored bytes that wait or are under way.
    private static let byteLimit = 32 << 20
    /// With 16 in flight, blocks of 256 KiB and a round trip of 100 ms fill 40 MB/s.
    private static let remoteThreads = 16

    private let state = Monitor(State())
    private let router: BlockRouter
    private let storedBytes: Atomic<UInt64>
    private let fail: @Sendable (FlistError) -> Void

    /// - Parameter fail: gets the first error of each thread, once it has given up.
    init(_ router: BlockRouter, cores: Int, fail: @escaping @Sendable (FlistError) -> Void) throws(FlistError) {
        self.router = router
        self.fail = fail
        storedBytes = Atomic(0)
        let isLocal = router.stores.allSatisfy { $0.url.scheme == .dir }
        let count = isLocal ? max(2, cores) : Self.remoteThreads
        for number in 0..<count {
            // Counted before it starts: `finish` may come at once.
            state.withLock { $0.threads += 1 }
            do throws(FlistError) {
                try WorkerThread("upload-\(number)") { [self] in run() }.detach()
            } catch {
                state.withLock { $0.threads -= 1 }
                if number == 0 { throw error }
                break
            }
        }
    }

    /// Bytes that stores have taken.
    var stored: UInt64 { storedBytes.load(ordering: .relaxed) }

    /// Takes a block, waiting while too much is under way; false when packing has been given up.
    func add(_ id: Digest, _ stored: BlockBuffer) -> Bool {
        let isTaken = state.wait { state -> Bool? in
            if state.isAborted { return false }
            guard state.bytes == 0 || state.bytes + stored.count <= Self.byteLimit else { return nil }
            state.waiting.append((id, stored))
            state.bytes += stored.count
            return true
        }
        state.broadcast()
        return isTaken
    }

    func abort() {
        state.withLock { state in
            state.isAborted = true
            state.waiting = []
            state.first = 0
        }
        state.broadcast()
    }

    /// Returns when everything is stored or given up, and the threads have ended.
    func finish() {
        state.withLock { $0.isClosed = true }
        state.broadcast()
        state.wait { $0.threads == 0 ? () : nil }
    }

    private func run() {
        while let (id, stored) = next() {
            do throws(FlistError) {
                try router.put(id, stored.bytes)
                storedBytes.add(UInt64(stored.count), ordering: .relaxed)
            } catch {
                fail(error)
            }
            state.withLock { $0.bytes -= stored.count }
            state.broadcast()
        }
        state.withLock { $0.threads -= 1 }
        state.broadcast()
    }

    private func next() -> (id: Digest, stored: BlockBuffer)? {
        state.wait { state -> (id: Digest, stored: BlockBuffer)?? in
            if state.isAborted { return .some(nil) }
            guard state.first < state.waiting.count else { return state.isClosed ? .some(nil) : nil }
            let item = state.waiting[state.first]
            state.first += 1
            if state.first == state.waiting.count || state.first > 256 {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            return .some(item)
        }
    }
}
