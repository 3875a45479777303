internal import BlockCache
internal import BlockCodec
internal import BlockStore
internal import FlistImage
internal import Logging
internal import Support
internal import Synchronization

/// Brings blocks from the stores into the cache, each at most once at a time, however many wait for it.
///
/// Thread-safe; holds no lock while it fetches, writes or calls back.
final class BlockLoader: Sendable {
    typealias Waiter = @Sendable (Result<BlockBuffer, FetchError>) -> Void

    /// A block on its way. Once fetched it stays in the table until the cache has it, so that nobody asks twice.
    private final class Load: Sendable {
        struct State {
            var outcome: Result<BlockBuffer, FetchError>?
            var waiters: [Waiter] = []
            var ticket: FetchTicket?
            var fetchClass: FetchClass
        }
        let state: Mutex<State>

        init(_ fetchClass: FetchClass) { state = Mutex(State(fetchClass: fetchClass)) }
    }

    private let loads = Mutex<[MemoryBlocks.Key: Load]>([:])
    private let fetcher: BlockFetcher
    private let router: BlockRouter
    private let memory: MemoryBlocks
    private let counters: ContentCounters
    private let logger: Logger
    /// How long a demanded block takes, in nanoseconds; a moving average over about eight.
    private let averageLatency = Atomic<UInt64>(0)

    init(
        fetcher: BlockFetcher, router: BlockRouter, memory: MemoryBlocks, counters: ContentCounters, logger: Logger
    ) {
        self.fetcher = fetcher
        self.router = router
        self.memory = memory
        self.counters = counters
        self.logger = logger
    }

    /// How far ahead of a sequential reader to be, in blocks: 8 MiB near by, 64 MiB from 56 ms of latency on.
    ///
    /// At 1 GB/s, 1 MiB passes in every millisecond of latency.
    func readaheadLimit(blockSize: Int) -> Int {
        let mebibytes = min(64, 8 + Int(averageLatency.load(ordering: .relaxed) / 1_000_000))
        return max(1, mebibytes << 20 / max(1, blockSize))
    }

    /// Gets a block of a file that the cache does not hold.
    ///
    /// - Parameter waiter: called exactly once, at once or from a decoding thread; nil when only the cache wants it.
    func load(_ block: Int, of file: ContentFile, _ fetchClass: FetchClass, waiter: Waiter?) {
        guard let reference = file.blocks[block] else { return }
        let key = MemoryBlocks.Key(content: file.id, block: block)
        if let buffer = memory.block(key) {
            waiter?(.success(buffer))
            return
        }
        let (load, isNew) = loads.withLock { loads -> (Load, Bool) in
            if let load = loads[key] { return (load, false) }
            let load = Load(fetchClass)
            loads[key] = load
            return (load, true)
        }
        join(load, fetchClass, waiter)
        guard isNew else { return }
        // Between the caller's look and the entry in the table, another load may have brought it.
        if let object = file.object, object.state(ofBlock: block) == .present,
            let buffer = file.readBlock(block, length: reference.plainLength)
        {
            finish(load, .success(buffer))
            loads.withLock { $0[key] = nil }
            return
        }
        if fetchClass == .demand { counters.demandBlocks.count() } else { counters.readaheadBlocks.count() }
        let start = Deadline.now
        let ticket = fetcher.fetch(reference, from: router, fetchClass) { [self] result in
            finish(load, result)
            switch result {
            case .success(let buffer):
                if fetchClass == .demand { noteLatency(since: start) }
                if file.object?.store(buffer.bytes, block: block) != true { memory.insert(buffer, for: key) }
            case .failure(.cancelled):
                break
            case .failure(let error):
                logger.error("cannot read a block", metadata: ["block": "\(reference.id)", "error": "\(error)"])
            }
            loads.withLock { $0[key] = nil }
        }
        // A demand may have joined before the ticket was there to be lifted.
        let lift = load.state.withLock { state -> Bool in
            state.ticket = ticket
            return state.fetchClass != fetchClass
        }
        if lift { ticket.lift(to: .demand) }
    }

    private func noteLatency(since start: Deadline) {
        let sample = Deadline.now.nanoseconds - start.nanoseconds
        let old = averageLatency.load(ordering: .relaxed)
        // Two that are noted at once may lose one; it is an estimate.
        averageLatency.store(old == 0 ? sample : old - old / 8 + sample / 8, ordering: .relaxed)
    }

    private func join(_ load: Load, _ fetchClass: FetchClass, _ waiter: Waiter?) {
        let (outcome, ticket) = load.state.withLock { state -> (Result<BlockBuffer, FetchError>?, FetchTicket?) in
            if let outcome = state.outcome { return (outcome, nil) }
            if let waiter { state.waiters.append(waiter) }
            guard fetchClass == .demand, state.fetchClass != .demand else { return (nil, nil) }
            state.fetchClass = .demand
            return (nil, state.ticket)
        }
        ticket?.lift(to: .demand)
        if let outcome { waiter?(outcome) }
    }

    private func finish(_ load: Load, _ result: Result<BlockBuffer, FetchError>) {
        let waiters = load.state.withLock { state -> [Waiter] in
            state.outcome = result
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter(result) }
    }
}
