/// The fields of a struct as Go reads them: a map by names (case matters), an array in the order of the declaration,
/// or nil for a struct of zero values. Unknown fields are passed over, missing ones are zero.
public struct ZBusFields: Sendable {
    private var values: [String: MessagePackValue] = [:]

    /// Nil when the value is neither map nor array nor nil, or a key of the map is no text.
    ///
    /// - Parameter names: the fields in the order of their declaration.
    public init?(_ value: MessagePackValue, _ names: [String]) {
        switch value {
        case .nil: break
        case .array(let elements):
            for (name, element) in zip(names, elements) { values[name] = element }
        case .map(let pairs):
            for pair in pairs {
                guard let key = pair.key.stringBytes else { return nil }
                // As in Go, the last one of a name stays.
                values[String(decoding: key, as: UTF8.self)] = pair.value
            }
        default: return nil
        }
    }

    /// The field as it came; `nil` of MessagePack when it is missing.
    public subscript(_ name: String) -> MessagePackValue { values[name] ?? .nil }

    /// The field as such a value: zero when it is missing, nil when it is something else.
    public func read<Value: ZBusArgument>(_ name: String, as type: Value.Type = Value.self) -> Value? {
        guard let value = values[name] else { return .zbusZero }
        return Value(zbus: value)
    }
}
