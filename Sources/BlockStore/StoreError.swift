public import BlockCodec

/// Why a store did not give or take a block.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The store works and does not have the block.
    case missing
    /// What the store gave is not the block.
    case corrupt(CodecError)
    /// The store answered with an error; the text is its own.
    case refused(String)
    /// No connection, or it broke.
    case unreachable(String)
    case timedOut
    /// The answer breaks the protocol's rules.
    case protocolViolation(String)
    /// The stored bytes are more than such a block can have.
    case tooLarge
    /// Nobody waits for it any more.
    case cancelled

    public var description: String {
        switch self {
        case .missing: "the block is not there"
        case .corrupt(let error): "the block is corrupt: \(error)"
        case .refused(let reason): "refused: \(reason)"
        case .unreachable(let reason): "unreachable: \(reason)"
        case .timedOut: "no answer in time"
        case .protocolViolation(let reason): "protocol error: \(reason)"
        case .tooLarge: "the answer is larger than any such block"
        case .cancelled: "cancelled"
        }
    }
}
