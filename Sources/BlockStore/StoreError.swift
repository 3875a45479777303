public import BlockCodec

/// Why a store did not give or take a block.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The store works and does not have the block.
    case missing
    /// What the store gave is not the block.
    case corrupt(CodecError)
    /// The store answered with an error; the text is its own.
    case refused(String)
    /// The store works, but cannot serve just now and says so itself.
    case busy(String)
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
        case .busy(let reason): "busy: \(reason)"
        case .unreachable(let reason): "unreachable: \(reason)"
        case .timedOut: "no answer in time"
        case .protocolViolation(let reason): "protocol error: \(reason)"
        case .tooLarge: "the answer is larger than any such block"
        case .cancelled: "cancelled"
        }
    }

    /// What a person can do about it; nil where the text says so itself.
    var remedy: String? {
        switch self {
        case .missing: "add a store that has it"
        case .corrupt, .tooLarge: "add a store with a good copy"
        case .refused: "check the store's address and credentials"
        case .busy: "try again later"
        case .unreachable: "check that the store runs and can be reached"
        case .timedOut: "check the network, or allow more time (mount: -o timeout=SECONDS)"
        case .protocolViolation: "check that the address is that of a store"
        case .cancelled: nil
        }
    }
}
