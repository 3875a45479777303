/// A value of MessagePack, with texts as the bytes they are.
///
/// The format is <https://github.com/msgpack/msgpack/blob/master/spec.md>. What `encoded` writes is what the Go library
/// of the bus, vmihailenco/msgpack 4, writes for the same value.
public enum MessagePackValue: Hashable, Sendable {
    case `nil`
    case bool(Bool)
    /// Written in the shortest form, as Go's `int`. What is read is this wherever it fits.
    case int(Int64)
    /// Always written with all 8 bytes, as Go's `uint64`. Read for what `int` cannot hold.
    case uint(UInt64)
    case double(Double)
    /// Meant as text; nobody has checked that it is UTF-8.
    case string([UInt8])
    case binary([UInt8])
    case array([MessagePackValue])
    /// Pairs in the order of the wire; keys may repeat.
    case map([Pair])
    /// A type of the application, or one that the specification keeps for itself (below 0), and its bytes.
    case ext(Int8, [UInt8])

    /// One key of a map with its value.
    public struct Pair: Hashable, Sendable {
        public let key: MessagePackValue
        public let value: MessagePackValue

        public init(_ key: MessagePackValue, _ value: MessagePackValue) {
            self.key = key
            self.value = value
        }
    }
}

extension MessagePackValue {
    /// A text.
    public static func text(_ text: String) -> MessagePackValue { .string([UInt8](text.utf8)) }

    /// A map with the names of fields as keys, as Go writes a struct.
    public static func structure(_ fields: KeyValuePairs<String, MessagePackValue>) -> MessagePackValue {
        .map(fields.map { Pair(.text($0.key), $0.value) })
    }

    /// What Go reads as a string: text and binary as they are, nil as none; nil for all else.
    public var stringBytes: [UInt8]? {
        switch self {
        case .string(let bytes), .binary(let bytes): bytes
        case .nil: []
        default: nil
        }
    }

    /// What Go reads as an unsigned integer: negative ones wrap around, nil is 0; nil for all else.
    public var unsigned: UInt64? {
        switch self {
        case .int(let value): UInt64(bitPattern: value)
        case .uint(let value): value
        case .nil: 0
        default: nil
        }
    }

    /// The elements of an array; none for all else.
    var elements: [MessagePackValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }
}
