internal import ArgumentParser
internal import Logging
internal import ProgramSupport
internal import Support
internal import Telemetry

/// The program's only command.
struct Daemon: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flistd",
        abstract: "Mounts flists for a node: the Flister object as a zbus service.",
        discussion: """
            Serves Mount, UpdateMountSize, Unmount, HashFromRootPath, FlistHash and Exists on
            the queue flist.flist@0.0.1 of a redis bus. Named mounts appear at
            ROOT/mountpoint/NAME; the contents of all flists share one cache, ROOT/cache.

            SIGTERM ends it: calls under way are answered first. Mounts stay, and are taken
            over when it starts again, also after a crash: those who read meanwhile wait,
            for a minute at most (--keep). `flist status` shows what it serves.

              flistd --broker unix:///var/run/redis.sock --root /var/cache/modules/flistd
              flistd --config /etc/flist/flistd.yaml
            """,
        version: "flistd \(Version.number)")

    @OptionGroup var options: DaemonOptions

    func run() throws {
        guard Process.isRoot else {
            throw FlistError(.permission, "flistd mounts file systems for others: run it as root")
        }
        var file = ConfigurationFile()
        if let path = options.config {
            file = try ConfigurationFile(parsing: SmallFile.read(path, limit: 1 << 20), name: path)
        }
        let settings = try DaemonSettings(options, file: file)
        // Before any thread: all inherit it.
        let signals = ProgramSignals()
        let log = try settings.log.map { path throws(FlistError) in try LogFile(path) } ?? .standardError
        log.start(level: settings.logLevel)
        do throws(FlistError) {
            try ProcessRights.reduce(to: .node)
        } catch {
            Logger(label: "flistd").warning(
                "serves with more rights than it needs", metadata: ["error": "\(error)"])
        }
        try Service(settings).run(until: signals, log: log)
    }
}
