internal import BlockCodec
internal import Synchronization
public import Support

/// One store as a router uses it: opened when first asked for, with its health and figures. Thread-safe.
public final class RoutedStore: Sendable {
    public typealias Opening = @Sendable (StoreURL) throws(FlistError) -> any BlockStore

    private struct State {
        var store: (any BlockStore)?
        var isClosed = false
        var health = StoreHealth()
        var statistics = StoreStatistics()
        var window: StoreWindow?
        var latencies = LatencyRecord()
        /// Blocks in a row that another store was quicker with.
        var lostRaces = 0
    }

    /// A store that loses so many races in a row is left alone for a while.
    private static let mostLostRaces = 4

    public let url: StoreURL
    private let opening: Opening
    private let state = Mutex(State())
    /// When bytes came from it last.
    let progress = ProgressClock()

    init(_ url: StoreURL, opening: @escaping Opening) {
        self.url = url
        self.opening = opening
    }

    /// The address without secrets.
    public var address: String { url.description }

    /// True unless it failed a short while ago.
    public var isHealthy: Bool { state.withLock { $0.health.isHealthy } }

    /// True once its owner has no more use for it; what it is asked then is cancelled.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    public var statistics: StoreStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.isHealthy = state.health.isHealthy
            return statistics
        }
    }

    /// The store, opened by the first call. Does no network or file access by itself.
    public func store() throws(FlistError) -> any BlockStore {
        // Opening under the lock: it is quick, and two at once would make two stores.
        let result = state.withLock { state -> Result<any BlockStore, FlistError> in
            if let store = state.store { return .success(store) }
            if state.isClosed { return .failure(FlistError(.unavailable, "the store \(url) is closed")) }
            do throws(FlistError) {
                let store = try opening(url)
                state.store = store
                return .success(store)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Starts reads; a store that cannot be opened fails them as `unreachable`, a closed one as `cancelled`.
    func get(_ requests: [StoreRequest]) {
        let isClosed = state.withLock { state in
            state.statistics.requests += UInt64(requests.count)
            state.statistics.inFlight += requests.count
            return state.isClosed
        }
        // Whoever closed it wants no more of it: waiting for it to come back would be in vain.
        if isClosed {
            for request in requests { request.complete(.failure(.cancelled)) }
            return
        }
        do throws(FlistError) {
            try store().get(requests)
        } catch {
            for request in requests { request.complete(.failure(.unreachable(error.description))) }
        }
    }

    /// Notes that a read that `get` started gave bytes. They may still turn out to be corrupt.
    func received(bytes: Int, after time: Duration) {
        state.withLock { state in
            state.latencies.note(time)
            state.lostRaces = 0
            state.statistics.inFlight -= 1
            state.statistics.blocks += 1
            state.statistics.bytes += UInt64(bytes)
            let old = state.statistics.latency
            // 1/8 of each new value: smooth, yet follows a change within some twenty reads.
            state.statistics.latency = old == .zero ? time : old + (time - old) / 8
        }
    }

    /// How long a read may take before another store is asked as well.
    var lateness: Duration { state.withLock { $0.latencies.late } }

    /// Notes that another store was asked later and answered first. A store that hangs never fails by itself then.
    func lostRace() {
        state.withLock { state in
            state.lostRaces += 1
            guard state.lostRaces >= Self.mostLostRaces else { return }
            state.lostRaces = 0
            state.health.failed()
        }
    }

    /// Notes that a read that `get` started failed.
    func failed(_ error: StoreError) {
        state.withLock { state in
            state.statistics.inFlight -= 1
            state.statistics.failures[.init(error), default: 0] += 1
            switch error {
            case .cancelled: break
            // It answered, and truthfully.
            case .missing: state.health.succeeded()
            default: state.health.failed()
            }
        }
    }

    /// Notes what decoding said about bytes that were received.
    func judged(_ error: CodecError?) {
        state.withLock { state in
            if let error {
                state.statistics.failures[.init(.corrupt(error)), default: 0] += 1
                state.health.failed()
            } else {
                state.health.succeeded()
            }
        }
    }

    /// Writes blocks, at least one, and blocks until the store has them.
    public func put(_ blocks: [StoredBlock]) throws(FlistError) {
        guard let first = blocks.first else { return }
        let store = try store()
        do throws(StoreError) {
            try store.put(blocks)
        } catch {
            state.withLock { $0.statistics.failures[.init(error), default: 0] += 1 }
            let rest = blocks.count > 1 ? ", or one of \(blocks.count - 1) with it," : ""
            throw FlistError(.unavailable, "cannot write block \(first.id)\(rest) to \(address)", cause: error)
        }
        state.withLock { $0.statistics.blocksWritten += UInt64(blocks.count) }
    }

    /// Reads that the store sends at once; nil for any number, or while it is not open.
    var parallelRequests: Int? { state.withLock { $0.store }?.parallelRequests }

    /// What the fetcher knows of how much this store may be asked at once.
    func withWindow<Result>(largest: Int, _ body: (inout StoreWindow) -> Result) -> Result {
        state.withLock { state in
            var window = state.window ?? StoreWindow(largest: largest)
            defer { state.window = window }
            return body(&window)
        }
    }

    func close() {
        let store = state.withLock { state -> (any BlockStore)? in
            state.isClosed = true
            defer { state.store = nil }
            return state.store
        }
        store?.close()
    }
}
