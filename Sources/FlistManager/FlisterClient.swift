public import Support
public import ZBus

/// Calls a Flister over the bus, as the nodes' own programs do. Blocks; thread-safe.
public final class FlisterClient: Sendable {
    private let client: ZBusClient
    private let timeout: Duration

    /// - Parameter timeout: for each call, all of it.
    public init(broker: BrokerAddress, timeout: Duration) {
        client = ZBusClient(broker)
        self.timeout = timeout
    }

    /// Answers where the flist is mounted.
    public func mount(_ name: String, url: String, options: NamedMountOptions) throws(FlistError) -> String {
        try call("Mount", .text(name), .text(url), options.zbusValue)
    }

    /// Answers where the mount is.
    public func updateMountSize(_ name: String, limit: UInt64) throws(FlistError) -> String {
        try call("UpdateMountSize", .text(name), .uint(limit))
    }

    public func unmount(_ name: String) throws(FlistError) {
        let _: MessagePackValue = try call("Unmount", .text(name))
    }

    public func hashFromRootPath(_ path: String) throws(FlistError) -> String {
        try call("HashFromRootPath", .text(path))
    }

    public func flistHash(_ url: String) throws(FlistError) -> String { try call("FlistHash", .text(url)) }

    public func exists(_ name: String) throws(FlistError) -> Bool { try call("Exists", .text(name)) }

    /// What the node serves; answered even when all its workers are busy.
    public func report() throws(FlistError) -> NodeReport {
        let text: String
        do throws(ZBusError) {
            text = try client.call(
                FlisterObject.module, .status, FlisterObject.reportMethod, [], as: String.self, timeout: timeout)
        } catch {
            throw Self.failure(error)
        }
        return try NodeReport(json: Array(text.utf8))
    }

    private func call<Value: ZBusArgument>(
        _ method: String, _ arguments: MessagePackValue...
    ) throws(FlistError) -> Value {
        do throws(ZBusError) {
            return try client.call(
                FlisterObject.module, FlisterObject.id, method, arguments, as: Value.self, timeout: timeout)
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: ZBusError) -> FlistError {
        if case .noAnswer(let error) = error { return error }
        return FlistError(.unavailable, "flistd: \(error)")
    }
}
