internal import BlockStore
internal import FlistManager
internal import Glibc
internal import Logging
internal import ProgramSupport
internal import Support
internal import ZBus

/// What `flistd` runs with: flags, then the configuration file, then defaults; checked.
struct DaemonSettings {
    static let defaultBroker = "unix:///var/run/redis.sock"
    static let defaultRoot = Flister.defaultRoot
    static let defaultWorkers = 8
    static let defaultStorage = "redis://hub.threefold.me:9900"
    /// In seconds.
    static let defaultTimeout = 10
    static let defaultScrubRate = "8MiB"
    static let defaultHub = "https://hub.threefold.me"

    let broker: BrokerAddress
    let root: String
    let workers: Int
    let storage: String
    let hub: String
    let netns: String?
    let volumes: VolumeKind
    let cacheSize: ByteCount?
    let timeout: Duration
    /// In a second; 0 for no checks.
    let scrubRate: ByteCount
    let metrics: String?
    let log: String?
    let logLevel: Logger.Level
    let keep: Duration

    /// - Parameter file: what the configuration file says, by key.
    init(_ options: DaemonOptions, file: ConfigurationFile) throws(FlistError) {
        func text(_ key: String, _ flag: String?) -> String? { flag ?? file[key] }
        broker = try BrokerAddress(parsing: text("broker", options.broker) ?? Self.defaultBroker)
        root = try Self.absolute(text("root", options.root) ?? Self.defaultRoot)
        storage = text("storage", options.storage) ?? Self.defaultStorage
        _ = try StoreRoute(parsing: storage)
        hub = text("hub", options.hub) ?? Self.defaultHub
        guard ["http://", "https://", "file:///"].contains(where: hub.hasPrefix) else {
            throw FlistError(.usage, "\(hub) is no hub; write https://hub.example.com")
        }
        netns = text("netns", options.netns)
        metrics = text("metrics", options.metrics)
        log = text("log", options.log)

        workers =
            try Self.value("workers", text("workers", options.workers.map { "\($0)" }), "1 to 256") { text in
                Int(text).flatMap { (1...256).contains($0) ? $0 : nil }
            } ?? Self.defaultWorkers
        volumes =
            try Self.value("volumes", text("volumes", options.volumes?.rawValue), "btrfs or zbus") {
                VolumeKind(rawValue: $0)
            } ?? .btrfs
        keep =
            try Self.value("keep", text("keep", options.keep.map { "\($0)" }), "0 to 86400 seconds") { text in
                Int(text).flatMap { (0...86400).contains($0) ? Duration.seconds($0) : nil }
            } ?? .seconds(60)
        cacheSize = try Self.value("cache-size", text("cache-size", options.cacheSize), "a size such as 50GiB") {
            ByteCount(parsing: $0)
        }
        timeout =
            try Self.value("timeout", text("timeout", options.timeout), "a number of seconds from 0.1 to 3600") {
                TimeoutArgument.duration($0)
            } ?? .seconds(Self.defaultTimeout)
        let rate = text("scrub-rate", options.scrubRate) ?? Self.defaultScrubRate
        scrubRate =
            try Self.value("scrub-rate", rate, "a size such as 8MiB, or 0") { ByteCount(parsing: $0) } ?? ByteCount(0)
        logLevel =
            try Self.value("log-level", text("log-level", options.logLevel), "debug, info, warning or error") {
                ["debug", "info", "warning", "error"].contains($0) ? Logger.Level(rawValue: $0) : nil
            } ?? .info
    }

    /// The folders of mounts and volumes are known to others by their paths.
    private static func absolute(_ path: String) throws(FlistError) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = getcwd(nil, 0) else { throw FlistError("cannot find the working folder", errno: .current) }
        defer { free(folder) }
        guard let text = String(validatingCString: folder) else {
            throw FlistError(.usage, "root: '\(path)' is relative to a folder whose path is no UTF-8")
        }
        return "\(text)/\(path)"
    }

    private static func value<Value>(
        _ key: String, _ text: String?, _ accepted: String, _ parse: (String) -> Value?
    ) throws(FlistError) -> Value? {
        guard let text else { return nil }
        guard let value = parse(text) else {
            throw FlistError(.usage, "\(key): '\(text)' is not \(accepted)")
        }
        return value
    }
}
