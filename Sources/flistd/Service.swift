internal import BlockCache
internal import BlockStore
internal import FlistManager
internal import Logging
internal import ProgramSupport
internal import Support
internal import Telemetry
internal import Volumes
internal import ZBus

/// The parts of `flistd`, put together.
struct Service {
    /// How long calls under way may take at the end; systemd kills after 90 s if nothing else is said.
    private static let grace = Duration.seconds(60)

    private let settings: DaemonSettings
    private let logger = Logger(label: "flistd")
    private let started = Deadline.now

    init(_ settings: DaemonSettings) { self.settings = settings }

    /// Serves until a signal says otherwise.
    func run(until signals: ProgramSignals, log: LogFile) throws(FlistError) {
        // Before any thread: all of them fetch in there. Sockets for others are made outside.
        let namespace = try settings.netns.map { name throws(FlistError) in try NetworkNamespace(entering: name) }
        let outside: ConnectScope = { connect throws(FlistError) in
            if let namespace { try namespace.outside(connect) } else { connect() }
        }
        let flister = try Flister(settings.flister(logger), volumes: settings.volumeStore(outside, logger))
        defer { flister.close() }
        let calls = FlisterMetrics()
        let node = ServedNode(flister, settings.broker, started)
        let server = ZBusServer(
            module: FlisterObject.module, broker: settings.broker, workers: settings.workers,
            objects: [FlisterObject.of(flister)], logger: logger, connectScope: outside,
            observer: CallLog(calls, logger)
        ) { method in
            method == FlisterObject.reportMethod ? .text(node.json) : nil
        }
        node.serve(on: server)

        flister.recover()
        let housekeeper = try Housekeeper(flister)
        defer { housekeeper.stop() }
        let control = try ControlSocket(path: flister.controlSocket) { Array(node.json.utf8) }
        defer { control.close() }
        let metrics = try settings.metrics.map { address throws(FlistError) in
            try metricsServer(address, outside, calls, node)
        }
        defer { metrics?.stop() }
        try server.start()
        let notifier = ServiceNotifier()
        try announce(server, notifier)
        try waitForEnd(signals, log)
        notifier.stopping()
        if !server.stop(grace: Self.grace) {
            logger.error("some calls were still under way; they get no answer")
        }
        logger.notice("ended")
    }

    private func metricsServer(
        _ address: String, _ outside: @escaping ConnectScope, _ calls: FlisterMetrics, _ node: ServedNode
    ) throws(FlistError) -> MetricsServer {
        let server = try MetricsServer(
            address: address,
            scope: { listen throws(FlistError) in
                var outcome: Result<Void, FlistError> = .success(())
                try outside {
                    do throws(FlistError) { try listen() } catch { outcome = .failure(error) }
                }
                try outcome.get()
            },
            page: {
                var page = MetricsPage()
                if let report = try? node.report() { calls.add(to: &page, report) }
                ProcessMetrics.add(to: &page)
                return page.text
            })
        logger.notice("metrics are shown", metadata: ["address": "\(address)", "port": "\(server.port)"])
        return server
    }

    /// Tells the service manager and the log once calls are taken, whenever the broker comes.
    private func announce(_ server: ZBusServer, _ notifier: ServiceNotifier) throws(FlistError) {
        let (settings, logger) = (settings, logger)
        try WorkerThread("announce") {
            notifier.status("waiting for the bus at \(settings.broker)")
            guard server.waitUntilReady(.never) else { return }
            notifier.ready("serving \(settings.root) on \(settings.broker)")
            logger.notice(
                "serving",
                metadata: [
                    "root": "\(settings.root)", "broker": "\(settings.broker)", "workers": "\(settings.workers)",
                    "version": "\(Version.number)",
                ])
        }.detach()
    }

    private func waitForEnd(_ signals: ProgramSignals, _ log: LogFile) throws(FlistError) {
        let isEnding = Monitor(false)
        let logger = logger
        try signals.handle(
            ending: {
                isEnding.withLock { $0 = true }
                isEnding.broadcast()
            },
            hangup: {
                do throws(FlistError) { try log.reopen() } catch { logger.error("\(error)") }
            })
        isEnding.wait { $0 ? () : nil }
        logger.notice("ending: calls under way are answered first")
    }
}

extension DaemonSettings {
    fileprivate func flister(_ logger: Logger) -> Flister.Settings {
        var result = Flister.Settings(root: root)
        result.cache.quota = cacheSize?.bytes
        result.fetcher.setTimeout(timeout)
        if scrubRate.bytes > 0 { result.scrub = ScrubOptions(bytesPerSecond: scrubRate.bytes) }
        result.fallback = storage
        result.hubAddress = hub
        result.keepPatience = keep
        result.logger = logger
        return result
    }

    fileprivate func volumeStore(_ outside: @escaping ConnectScope, _ logger: Logger) throws(FlistError)
        -> any VolumeStore
    {
        switch volumes {
        case .btrfs: try BtrfsVolumeStore(root: root, options: BtrfsVolumeStore.Options(), logger: logger)
        case .zbus: ZBusVolumeStore(ZBusClient(broker, connectScope: outside))
        }
    }
}
