internal import ArgumentParser
internal import Support

/// The flags of `flistd`; each may stand in the file of `--config`, too, under the same name without the dashes.
struct DaemonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The bus: unix:///path or tcp://[password@]host:port. (default: \(DaemonSettings.defaultBroker))",
            valueName: "url"))
    var broker: String?

    @Option(
        help: ArgumentHelp(
            "The folder of flists, contents and mounts. (default: \(DaemonSettings.defaultRoot))", valueName: "dir"),
        completion: .directory)
    var root: String?

    @Option(
        help: ArgumentHelp(
            "How many calls are worked on at the same time. (default: \(DaemonSettings.defaultWorkers))", valueName: "n"
        ))
    var workers: Int?

    @Option(
        help: ArgumentHelp(
            "The store of flists that do not say where their blocks are. (default: \(DaemonSettings.defaultStorage))",
            valueName: "url"))
    var storage: String?

    @Option(
        help: ArgumentHelp(
            "What addresses of flists without a scheme are relative to. (default: \(DaemonSettings.defaultHub))",
            valueName: "url"))
    var hub: String?

    @Option(help: ArgumentHelp("Download and fetch inside this network namespace.", valueName: "name"))
    var netns: String?

    @Option(
        help: ArgumentHelp(
            "Who makes the writable sides: btrfs, by flistd itself, or zbus, by the storage module of the node.",
            valueName: "btrfs|zbus"))
    var volumes: VolumeKind?

    @Option(
        name: .customLong("cache-size"),
        help: ArgumentHelp("The most bytes of contents to keep. Without it, a share of the disk stays free."))
    var cacheSize: String?

    @Option(
        help: ArgumentHelp(
            "How long a read waits while nothing comes from its stores. (default: \(DaemonSettings.defaultTimeout))",
            valueName: "seconds"))
    var timeout: String?

    @Option(
        name: .customLong("scrub-rate"),
        help: ArgumentHelp(
            "Read cached contents again in the background, so many bytes in a second, and compare them with their hashes; 0: never. (default: \(DaemonSettings.defaultScrubRate))",
            valueName: "size"))
    var scrubRate: String?

    @Option(
        help: ArgumentHelp(
            "How long mounts wait for the next flistd when this one has ended, in seconds; 0 ends them. (default: 60)",
            valueName: "s"))
    var keep: Int?

    @Option(
        help: ArgumentHelp("Show Prometheus metrics at http://ADDR/metrics, as in 127.0.0.1:9464.", valueName: "addr"))
    var metrics: String?

    @Option(
        help: ArgumentHelp("Append the log to this file instead of stderr.", valueName: "file"), completion: .file())
    var log: String?

    @Option(
        name: .customLong("log-level"),
        help: ArgumentHelp("What to log: debug, info, warning or error. (default: info)", valueName: "level"))
    var logLevel: String?

    @Option(
        help: ArgumentHelp("A YAML file with any of these; flags go before it.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?
}

/// Who makes the writable sides of named mounts.
enum VolumeKind: String, ExpressibleByArgument, CaseIterable, Sendable {
    case btrfs, zbus
}
