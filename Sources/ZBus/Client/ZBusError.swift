public import Support

/// Why a call over the bus gave no value.
public enum ZBusError: Error, Sendable, CustomStringConvertible {
    /// The method was run and failed; the text is the module's own.
    case callError(String)
    /// The module took the request and ran no method: there is no such object or method, or the arguments are wrong.
    case protocolError(String)
    /// No answer that makes sense: `timedOut`, `unavailable` or `invalid`, with queue and broker in the message.
    case noAnswer(FlistError)

    public var description: String {
        switch self {
        case .callError(let text), .protocolError(let text): text
        case .noAnswer(let error): error.description
        }
    }
}
