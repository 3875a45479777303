/// A type that methods on the bus take and give back.
public protocol ZBusType: Sendable {
    /// What Go's zero value of it is here: sent beside an error, and taken for fields that are missing.
    static var zbusZero: Self { get }
}

/// A type that methods take.
public protocol ZBusArgument: ZBusType {
    /// The name of the type in Go, for the text of a protocol error.
    static var zbusTypeName: String { get }

    /// Nil when the value is not of this type, by the tolerant rules of the genuine server.
    init?(zbus value: MessagePackValue)
}

/// A type that methods give back.
public protocol ZBusResult: ZBusType {
    var zbusValue: MessagePackValue { get }
}

/// Text, binary, or nil for the empty one. What is not UTF-8 gets U+FFFD.
extension String: ZBusArgument, ZBusResult {
    public static var zbusTypeName: String { "string" }
    public static var zbusZero: String { "" }
    public var zbusValue: MessagePackValue { .text(self) }

    public init?(zbus value: MessagePackValue) {
        guard let bytes = value.stringBytes else { return nil }
        self = String(decoding: bytes, as: UTF8.self)
    }
}

/// Nothing but true and false.
extension Bool: ZBusArgument, ZBusResult {
    public static var zbusTypeName: String { "bool" }
    public static var zbusZero: Bool { false }
    public var zbusValue: MessagePackValue { .bool(self) }

    public init?(zbus value: MessagePackValue) {
        guard case .bool(let flag) = value else { return nil }
        self = flag
    }
}

/// A number of bytes as Zero-OS sends it: any integer, negative ones wrap around as in Go, nil is 0.
public struct ZBusUnit: ZBusArgument, ZBusResult, Hashable {
    public let bytes: UInt64

    public init(_ bytes: UInt64) { self.bytes = bytes }

    public static var zbusTypeName: String { "gridtypes.Unit" }
    public static var zbusZero: ZBusUnit { ZBusUnit(0) }
    public var zbusValue: MessagePackValue { .uint(bytes) }

    public init?(zbus value: MessagePackValue) {
        guard let bytes = value.unsigned else { return nil }
        self.init(bytes)
    }
}

/// Whatever comes, for callers that look at it themselves.
extension MessagePackValue: ZBusArgument, ZBusResult {
    public static var zbusTypeName: String { "interface {}" }
    public static var zbusZero: MessagePackValue { .nil }
    public var zbusValue: MessagePackValue { self }

    public init?(zbus value: MessagePackValue) { self = value }
}
