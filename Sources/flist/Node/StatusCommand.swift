internal import ArgumentParser
internal import FlistManager
internal import ProgramSupport
internal import Support

/// `flist status`: shows what flistd serves.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what flistd serves and waits for: mounts, flists, stores, cache, workers.",
        discussion: """
            Fails when flistd does not answer, so that it tells whether the service is up.

              flist status
              flist status --broker unix:///var/run/redis.sock --quiet
            """)

    @OptionGroup var node: NodeOptions

    @Flag(name: .shortAndLong, help: "Print nothing: the exit status says whether flistd answers.")
    var quiet = false

    @OptionGroup var json: JSONOption

    func run() throws {
        let report = try node.report()
        if let bus = report.bus, node.broker != nil, !bus.isConnected {
            throw FlistError(.unavailable, "flistd is up, but takes no calls: its queue is not connected to the bus")
        }
        if quiet { return }
        if json.isOn {
            Output.write(bytes: try report.json(pretty: true) + [UInt8(ascii: "\n")])
        } else {
            for line in NodeText(report: report).lines { Output.line(line) }
        }
    }
}
