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
    /// What is being loaded, and for what.
    private struct Request: Sendable {
        let key: MemoryBlocks.Key
        let reference: BlockReference
        let file: ContentFile
        let load: BlockLoad
    }

    private let loads = Mutex<[MemoryBlocks.Key: BlockLoad]>([:])
    private let failures = BlockFailures()
    private let fetcher: BlockFetcher
    private let router: BlockRouter
    private let memory: MemoryBlocks
    private let counters: ContentCounters
    private let index: TreeIndex
    private let logger: Logger
    /// How long a demanded block takes, in nanoseconds; a moving average over about eight.
    private let averageLatency = Atomic<UInt64>(0)
    /// Whether the disk took the last block that came.
    private let diskTakesBlocks: Atomic<Bool>

    init(
        fetcher: BlockFetcher, router: BlockRouter, memory: MemoryBlocks, hasCache: Bool, counters: ContentCounters,
        index: TreeIndex, logger: Logger
    ) {
        self.fetcher = fetcher
        self.router = router
        self.memory = memory
        diskTakesBlocks = Atomic(hasCache)
        self.counters = counters
        self.index = index
        self.logger = logger
    }

    /// Bytes to be ahead of a reader: 8 MiB near by, 88 MiB from 80 ms of latency on: what the
    /// fetcher has room for.
    ///
    /// At 1 GB/s, 1 MiB passes in every millisecond of latency.
    private var readaheadBytes: Int { (8 + min(80, latency)) << 20 }

    /// Of a demanded block, in whole milliseconds.
    private var latency: Int { Int(clamping: averageLatency.load(ordering: .relaxed) / 1_000_000) }

    /// How far ahead of a reader of whole directories to be: 20 files for each millisecond of latency, since a reader
    /// may go through as many.
    var directoryLimit: DirectoryWindow.Limit {
        DirectoryWindow.Limit(
            files: DirectoryWindow.size + min(300, latency) * 20, bytes: UInt64(readaheadBytes),
            isFar: latency >= 80)
    }

    /// How far ahead of a sequential reader to be, in blocks.
    ///
    /// At least one block, which may be larger; but what only
    /// memory takes must not push out what is yet to be read. There the blocks behind the reader are the newer ones, so
    /// twice as many as are ahead have to fit; half of the memory is for other readers.
    func readaheadLimit(blockSize: Int) -> Int {
        guard blockSize > 0 else { return 0 }
        // Not more blocks than the fetcher has room for, however small they are.
        let blocks = max(1, min(512, readaheadBytes / blockSize))
        return diskTakesBlocks.load(ordering: .relaxed) ? blocks : min(blocks, memory.limit / 4 / blockSize)
    }

    /// Gets a block of a file that the cache does not hold.
    ///
    /// - Parameters:
    ///   - reference: of that block.
    ///   - waiter: called exactly once, at once or from a decoding thread; nil when only the cache wants it.
    ///   - keeper: called exactly once, when the cache has it or will not.
    func load(
        _ block: Int, _ reference: BlockReference, of file: ContentFile, _ fetchClass: FetchClass,
        waiter: BlockLoad.Waiter?, keeper: BlockLoad.Keeper? = nil
    ) {
        let key = MemoryBlocks.Key(content: file.id, block: block)
        if let buffer = memory.block(key) {
            waiter?(.success(buffer))
            keeper?(.success(false))
            return
        }
        if fetchClass == .demand, let error = failures.recent(key) {
            waiter?(.failure(error))
            keeper?(.failure(error))
            return
        }
        let (load, isNew) = loads.withLock { loads -> (BlockLoad, Bool) in
            if let load = loads[key] { return (load, false) }
            let load = BlockLoad()
            loads[key] = load
            return (load, true)
        }
        load.join(fetchClass, waiter)
        if let keeper { load.keep(keeper) }
        guard isNew else { return }
        // Between the caller's look and the entry in the table, another load may have brought it.
        if let buffer = memory.block(key) ?? stored(block, reference, of: file) {
            load.finish(.success(buffer))
            load.kept(.success(file.object?.state(ofBlock: block) == .present))
            loads.withLock { $0[key] = nil }
            return
        }
        counters.count(fetchClass)
        start(Request(key: key, reference: reference, file: file, load: load), fetchClass)
    }

    private func stored(_ block: Int, _ reference: BlockReference, of file: ContentFile) -> BlockBuffer? {
        guard let object = file.object, object.state(ofBlock: block) == .present else { return nil }
        return file.readBlock(block, length: reference.plainLength)
    }

    private func start(_ request: Request, _ fetchClass: FetchClass, deadline: Deadline? = nil) {
        let start = Deadline.now
        let ticket = fetcher.fetch(request.reference, from: router, fetchClass, deadline: deadline) { [self] result in
            ended(request, fetchClass, start, result)
        }
        request.load.started(ticket)
    }

    private func ended(
        _ request: Request, _ fetchClass: FetchClass, _ start: Deadline, _ result: Result<BlockBuffer, FetchError>
    ) {
        let now = Deadline.now
        if case .failure(let error) = result, error != .cancelled, fetchClass != .demand,
            let demanded = request.load.demanded, demanded.nanoseconds > start.nanoseconds &+ 1_000_000_000
        {
            // The time that readahead had is over; who joined it later gets as much.
            let rest = demanded.nanoseconds - start.nanoseconds
            return self.start(request, .demand, deadline: Deadline(nanoseconds: now.nanoseconds &+ rest))
        }
        if case .success = result, fetchClass == .demand { note(latency: now.nanoseconds &- start.nanoseconds) }
        // Before the waiters are told: one that asks again is to find it.
        if case .failure(let error) = result, error != .cancelled, let demanded = request.load.demanded {
            let wait = Duration.nanoseconds(Int64(clamping: now.nanoseconds &- demanded.nanoseconds))
            if let untold = failures.note(request.key, error, after: wait, now: now) { log(request, error, untold) }
        }
        request.load.finish(result)
        let kept = result.map { keep($0, request) }
        request.load.kept(kept)
        loads.withLock { $0[request.key] = nil }
    }

    /// Gives a block to the cache, or to memory where that does not take it; answers whether it did.
    private func keep(_ buffer: BlockBuffer, _ request: Request) -> Bool {
        let isStored = request.file.object?.store(buffer.bytes, block: request.key.block) ?? false
        diskTakesBlocks.store(isStored, ordering: .relaxed)
        if !isStored { memory.insert(buffer, for: request.key) }
        return isStored
    }

    private func log(_ request: Request, _ error: FetchError, _ untold: Int) {
        var facts: Logger.Metadata = [
            "path": "\(index.displayPath(of: request.file.inode))", "inode": "\(request.file.inode)",
            "error": "\(error)",
        ]
        if untold > 0 { facts["before"] = "\(untold) more blocks not told of" }
        logger.error("cannot read a block", metadata: facts)
    }

    private func note(latency sample: UInt64) {
        let old = averageLatency.load(ordering: .relaxed)
        // Two that are noted at once may lose one; it is an estimate.
        averageLatency.store(old == 0 ? sample : old - old / 8 + sample / 8, ordering: .relaxed)
    }
}
