/// Why bytes are not taken as MessagePack.
public enum MessagePackError: Error, Hashable, Sendable, CustomStringConvertible {
    /// They end in the middle of a value, or a value declares more than is there.
    case truncated
    /// Arrays and maps within each other, more than 16.
    case tooDeep
    /// More bytes than allowed.
    case tooLarge(Int)
    /// A byte that starts no value.
    case invalid(UInt8)
    case outOfMemory

    public var description: String {
        switch self {
        case .truncated: "it ends in the middle of a value"
        case .tooDeep: "it is nested more than \(MessagePackBounds.depth) levels deep"
        case .tooLarge(let count): "it has \(count) bytes"
        case .invalid(let byte): "the byte \(byte) starts no value"
        case .outOfMemory: "there is no memory for it"
        }
    }
}
