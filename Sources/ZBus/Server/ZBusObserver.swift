/// One call of a method.
///
/// The names are those of the request: whoever counts by them must look at the outcome first, since a protocol error
/// may be about names that nobody has ever heard of.
public struct ZBusCall: Sendable, Hashable {
    public let object: ObjectID
    public let method: String
    /// The caller's, for logs.
    public let id: String
}

/// How a call ended.
public enum ZBusOutcome: Sendable, Hashable {
    case ok
    /// The method threw; the text that the caller gets.
    case callError(String)
    /// No method was run; the text that the caller gets.
    case protocolError(String)
}

/// Is told of what a server does, for metrics and logs.
///
/// Called on the worker threads, several at once; what blocks here holds up the worker.
public protocol ZBusObserver: Sendable {
    func callStarted(_ call: ZBusCall)
    /// After the method has returned, before the answer is sent.
    func callEnded(_ call: ZBusCall, after time: Duration, _ outcome: ZBusOutcome)
    /// A message was no request and is thrown away.
    func messageDropped(bytes: Int)
}

extension ZBusObserver {
    public func callStarted(_ call: ZBusCall) {}
    public func callEnded(_ call: ZBusCall, after time: Duration, _ outcome: ZBusOutcome) {}
    public func messageDropped(bytes: Int) {}
}
