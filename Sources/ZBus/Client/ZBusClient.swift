internal import Redis
internal import Support
internal import Synchronization

/// Calls methods of modules over the bus.
///
/// Every call blocks its thread. Thread-safe: calls borrow connections, and some that are idle are kept.
public final class ZBusClient: Sendable {
    /// Idle connections that are kept.
    private static let idleLinks = 8
    /// For each wait for the socket that is not for an answer.
    private static let commandTimeout = Duration.seconds(10)
    /// An answer larger than this is none.
    private static let answerLimit = 16 << 20

    let broker: BrokerAddress
    private let scope: ConnectScope?
    private let idle = Mutex<[RedisLink]>([])

    /// Does not connect yet.
    ///
    /// - Parameter connectScope: wraps the making of every connection.
    public init(_ broker: BrokerAddress, connectScope: ConnectScope? = nil) {
        self.broker = broker
        scope = connectScope
    }

    /// Calls a method and waits for its answer.
    ///
    /// - Parameter timeout: for all of it. A request that nobody has taken by then is withdrawn.
    /// - Returns: what the method gives back; `nil` of MessagePack when that is nothing; an array for several values.
    @discardableResult
    public func call(
        _ module: String, _ object: ObjectID, _ method: String, _ arguments: [MessagePackValue], timeout: Duration
    ) throws(ZBusError) -> MessagePackValue {
        let deadline = Deadline.after(timeout)
        let id = CallID.make()
        let request = ZBusRequest(
            id: [UInt8](id.utf8), inputs: arguments.map(\.encoded), object: object, replyTo: [UInt8](id.utf8),
            method: method)
        let call = PendingCall(
            queue: object.queue(of: module), id: id, payload: request.encoded, deadline: deadline, timeout: timeout)
        let payload = try send(call)
        guard let response = ZBusResponse(decoding: payload, limit: Self.answerLimit) else {
            throw .noAnswer(
                FlistError(
                    .invalid,
                    "what came from \(call.queue) at \(broker) is no answer: \(Hex.encode(payload.prefix(32)))"))
        }
        switch response.outcome {
        case .value(let value): return value ?? .nil
        case .callError(let text, _): throw .callError(text)
        case .protocolError(let text): throw .protocolError(text)
        }
    }

    /// Calls a method that gives back a value of this type.
    public func call<Value: ZBusArgument>(
        _ module: String, _ object: ObjectID, _ method: String, _ arguments: [MessagePackValue],
        as type: Value.Type, timeout: Duration
    ) throws(ZBusError) -> Value {
        let value = try call(module, object, method, arguments, timeout: timeout)
        guard let result = Value(zbus: value) else {
            throw .noAnswer(
                FlistError(
                    .invalid,
                    "\(object.queue(of: module)) at \(broker) did not answer \(method) with a \(Value.zbusTypeName)"))
        }
        return result
    }

    /// What a module does, told even when all its workers are busy.
    public func status(of module: String, timeout: Duration) throws(ZBusError) -> ZBusStatus {
        let value = try call(module, .status, "", [], timeout: timeout)
        guard let status = ZBusStatus(value) else {
            throw .noAnswer(
                FlistError(.invalid, "\(ObjectID.status.queue(of: module)) at \(broker) did not answer with a status"))
        }
        return status
    }

    // MARK: Connections

    /// An idle connection that still works, or a new one.
    func borrow(_ deadline: Deadline) throws(RedisError) -> RedisLink {
        while let link = idle.withLock({ $0.popLast() }) {
            // A request must be sent once: whether the connection still lives has to be known before.
            link.setCommandTimeout(min(Self.commandTimeout, deadline.remaining))
            if (try? link.command("PING")) != nil { return link }
        }
        return try broker.connect(scope, commandTimeout: min(Self.commandTimeout, deadline.remaining))
    }

    func giveBack(_ link: RedisLink) {
        guard !link.isBroken else { return }
        idle.withLock { if $0.count < Self.idleLinks { $0.append(link) } }
    }
}
