/// Why a Redis server did not do as it was told.
public enum RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No connection, also when making it takes too long, or it broke: whether the server did what was sent last is not known.
    case unreachable(String)
    /// No answer to a command within its time.
    case timedOut
    /// The server answered with an error; the text is its own.
    case refused(String)
    /// The answer breaks the protocol's rules, or the limits of the connection.
    case protocolViolation(String)

    public var description: String {
        switch self {
        case .unreachable(let reason): "unreachable: \(reason)"
        case .timedOut: "no answer in time"
        case .refused(let reason): "refused: \(reason)"
        case .protocolViolation(let reason): "protocol error: \(reason)"
        }
    }
}
