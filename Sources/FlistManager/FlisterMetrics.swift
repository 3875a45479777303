internal import BlockStore
internal import Support
internal import Synchronization
public import Telemetry
public import ZBus

/// Counts the calls of a Flister, and shows what a node does as Prometheus metrics.
///
/// Thread-safe. Names are documented in docs/operations.md.
public final class FlisterMetrics: ZBusObserver {
    private struct Method {
        let seconds = Histogram()
        let good = Counter()
        let failed = Counter()
    }

    // The methods of the object; what strangers call otherwise is counted as refused, under no name of theirs.
    private let methods: [String: Method]
    private let refused = Counter()
    private let dropped = Counter()
    private let running = Atomic<Int>(0)

    public init() {
        let names = ["Mount", "UpdateMountSize", "Unmount", "HashFromRootPath", "FlistHash", "Exists"]
        methods = Dictionary(uniqueKeysWithValues: names.map { ($0, Method()) })
    }

    public func callStarted(_ call: ZBusCall) { running.add(1, ordering: .relaxed) }

    public func callEnded(_ call: ZBusCall, after time: Duration, _ outcome: ZBusOutcome) {
        running.subtract(1, ordering: .relaxed)
        guard let method = methods[call.method] else { return refused.add() }
        switch outcome {
        case .ok: method.good.add()
        case .callError: method.failed.add()
        case .protocolError: return refused.add()
        }
        method.seconds.observe(time)
    }

    public func messageDropped(bytes: Int) { dropped.add() }

    /// Adds all metrics of a node to a page.
    public func add(to page: inout MetricsPage, _ report: NodeReport) {
        addCalls(to: &page)
        addMounts(to: &page, report)
        addFetches(to: &page, report)
        if let cache = report.cache { addCache(to: &page, cache) }
    }

    private func addCalls(to page: inout MetricsPage) {
        for (name, method) in methods.sorted(by: { $0.key < $1.key }) {
            page.counter(
                "flist_calls_total", help: "Calls over the bus, by method and result.", method.good.value,
                labels: ["method": name, "result": "ok"])
            page.counter(
                "flist_calls_total", help: "", method.failed.value, labels: ["method": name, "result": "error"])
            page.histogram(
                "flist_call_seconds", help: "How long calls took.", method.seconds.snapshot, labels: ["method": name])
        }
        page.gauge("flist_calls_in_flight", help: "Calls being worked on.", running.load(ordering: .relaxed))
        page.counter(
            "flist_calls_refused_total", help: "Calls of no method, or with wrong arguments.", refused.value)
        page.counter(
            "flist_messages_dropped_total", help: "Messages on the bus that were no calls.", dropped.value)
    }

    private func addMounts(to page: inout MetricsPage, _ report: NodeReport) {
        let readOnly = report.mounts.count(where: \.isReadOnly)
        page.gauge("flist_mounts", help: "Named mounts, by kind.", readOnly, labels: ["kind": "read-only"])
        page.gauge("flist_mounts", help: "", report.mounts.count - readOnly, labels: ["kind": "writable"])
        page.gauge("flist_flists", help: "Flists that are served.", report.flists.count)
        for mount in report.mounts {
            guard let used = mount.used, let limit = mount.limit else { continue }
            page.gauge(
                "flist_mount_written_bytes", help: "Bytes written below a named mount.", used,
                labels: ["mount": mount.name])
            page.gauge(
                "flist_mount_limit_bytes", help: "The most that may be written below it; 0 for no limit.", limit,
                labels: ["mount": mount.name])
        }
        if let bus = report.bus {
            page.gauge("flist_bus_connected", help: "1 while the bus answers.", bus.isConnected ? 1 : 0)
            page.gauge(
                "flist_workers", help: "Workers, by state.", bus.workers.count(where: \.isBusy),
                labels: ["state": "busy"])
            page.gauge("flist_workers", help: "", bus.workers.count { !$0.isBusy }, labels: ["state": "free"])
        }
    }

    private func addFetches(to page: inout MetricsPage, _ report: NodeReport) {
        let reads = report.reads
        for (result, count) in [("hit", reads.local), ("waited", reads.waited), ("failed", reads.failed)] {
            page.counter(
                "flist_reads_total", help: "Reads of mounted files: hit were answered from the cache.", count,
                labels: ["result": result])
        }
        page.counter("flist_read_bytes_total", help: "Bytes handed to readers.", reads.bytes)
        for store in report.stores {
            let name = store.address
            page.counter(
                "flist_fetches_total", help: "Reads of blocks, by store and result.", store.blocks,
                labels: ["store": name, "result": "ok"])
            // With those that never came: what appears at its first failure has no rate.
            for failure in StoreStatistics.Failure.allCases.map(\.rawValue).sorted() {
                page.counter(
                    "flist_fetches_total", help: "", store.failures[failure] ?? 0,
                    labels: ["store": name, "result": failure])
            }
            page.counter(
                "flist_fetched_bytes_total", help: "Stored bytes read from a store.", store.bytes,
                labels: ["store": name])
            page.gauge("flist_fetches_in_flight", help: "Reads under way.", store.inFlight, labels: ["store": name])
            page.gauge(
                "flist_fetch_latency_seconds", help: "Moving average of the time for one block.", store.latency,
                labels: ["store": name])
            page.gauge(
                "flist_store_healthy", help: "0 while a store is left alone after failures.", store.isHealthy ? 1 : 0,
                labels: ["store": name])
        }
        let fetching = report.fetching
        page.counter("flist_blocks_total", help: "Blocks fetched and verified.", fetching.blocks)
        page.counter("flist_block_failures_total", help: "Blocks that no store could give.", fetching.failures)
        page.counter("flist_fetch_retries_total", help: "Further attempts after a failed one.", fetching.retries)
        page.counter(
            "flist_fetch_hedges_total", help: "Blocks asked of a second store since the first was late.",
            fetching.hedges)
        page.counter(
            "flist_fetch_hedges_won_total", help: "Those that the second store gave first.", fetching.hedgesWon)
        for (name, count) in reads.blocks.sorted(by: { $0.key < $1.key }) {
            page.counter(
                "flist_blocks_asked_total", help: "Blocks that stores were asked for, by class.", count,
                labels: ["class": name])
        }
        page.counter("flist_plain_bytes_total", help: "Bytes of blocks after decoding.", fetching.plainBytes)
        page.gauge("flist_blocks_in_flight", help: "Blocks being fetched or decoded.", fetching.inFlight)
        page.gauge("flist_blocks_in_flight_bytes", help: "Their memory.", fetching.inFlightBytes)
        for (name, count) in fetching.queued.sorted(by: { $0.key < $1.key }) {
            page.gauge("flist_blocks_queued", help: "Blocks waiting, by class.", count, labels: ["class": name])
        }
    }

    private func addCache(to page: inout MetricsPage, _ cache: NodeReport.Cache) {
        page.gauge("flist_cache_bytes", help: "Bytes of contents on disk.", cache.bytes)
        if let quota = cache.quota { page.gauge("flist_cache_quota_bytes", help: "The most that may be.", quota) }
        page.gauge("flist_cache_contents", help: "Contents, by state.", cache.complete, labels: ["state": "complete"])
        page.gauge("flist_cache_contents", help: "", cache.partial, labels: ["state": "partial"])
        page.counter("flist_cache_evictions_total", help: "Contents removed to make room.", cache.evictions)
        page.counter("flist_cache_failures_total", help: "Blocks that could not be stored.", cache.failures)
        page.counter(
            "flist_cache_scrubbed_bytes_total", help: "Bytes read again in the background.", cache.scrubbedBytes ?? 0)
        page.counter("flist_cache_damaged_total", help: "Contents that were found damaged.", cache.damaged ?? 0)
    }
}
