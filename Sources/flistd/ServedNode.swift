internal import FlistManager
internal import ProgramSupport
internal import Support
internal import Synchronization
internal import ZBus

/// What those are told who ask what the node serves. Thread-safe.
final class ServedNode: Sendable {
    private let flister: Flister
    private let broker: BrokerAddress
    private let started: Deadline
    // Set once, when the server exists: it asks here, too.
    private let server = Mutex<ZBusServer?>(nil)

    init(_ flister: Flister, _ broker: BrokerAddress, _ started: Deadline) {
        self.flister = flister
        self.broker = broker
        self.started = started
    }

    func serve(on server: ZBusServer) { self.server.withLock { $0 = server } }

    func report() throws(FlistError) -> NodeReport {
        let bus = server.withLock { $0 }.map { NodeReport.Bus($0, broker) }
        return try flister.report(version: Version.text, started: started, bus: bus)
    }

    /// The report; empty when it cannot be made, which whoever asks takes for no report.
    var json: String {
        guard let bytes = try? report().json() else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension NodeReport.Bus {
    fileprivate init(_ server: ZBusServer, _ broker: BrokerAddress) {
        self.init(broker: "\(broker)", isConnected: server.isConnected, workers: [])
    }
}
