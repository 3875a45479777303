internal import ArgumentParser
internal import FlistManager
internal import Support
internal import Telemetry
internal import ZBus

/// Which flistd a command is about.
struct NodeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Ask over the bus: unix:///path or tcp://[password@]host:port. Without it the socket in --root is asked.",
            valueName: "url"))
    var broker: String?

    @Option(
        help: ArgumentHelp("The folder that flistd serves.", valueName: "dir"), completion: .directory)
    var root = Flister.defaultRoot

    @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "seconds"))
    var timeout = 10

    func validate() throws {
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout takes 1 to 3600 seconds.") }
    }

    /// Asks flistd what it serves. Blocks.
    func report() throws(FlistError) -> NodeReport {
        let limit = Duration.seconds(timeout)
        guard let broker else {
            return try NodeReport(
                json: try ControlSocket.read(path: Flister.controlSocket(in: root), timeout: limit))
        }
        return try FlisterClient(broker: try BrokerAddress(parsing: broker), timeout: limit).report()
    }
}
