internal import ArgumentParser
internal import FlistManager
internal import Support
internal import ZBus

/// The bus by which flistd is called.
struct BusOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The bus: unix:///path or tcp://[password@]host:port.", valueName: "url"))
    var broker = "unix:///var/run/redis.sock"

    @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "seconds"))
    var timeout = 600

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout takes 1 to 86400 seconds.") }
    }

    func client() throws(FlistError) -> FlisterClient {
        FlisterClient(broker: try BrokerAddress(parsing: broker), timeout: .seconds(timeout))
    }
}
