internal import Support

/// A JSON document whose objects keep the order of their keys.
public indirect enum JSONValue {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    /// A name or path of any bytes under `key`. JSON holds Unicode only: bytes that are no UTF-8 become U+FFFD there, and
    /// all bytes follow in hexadecimal as `key` and `_bytes`, so that nothing is lost.
    public static func name(_ key: String, _ bytes: [UInt8]) -> [(key: String, value: JSONValue)] {
        let text = String(decoding: bytes, as: UTF8.self)
        var members: [(key: String, value: JSONValue)] = [(key, .string(text))]
        if !text.utf8.elementsEqual(bytes) { members.append((key + "_bytes", .string(Hex.encode(bytes)))) }
        return members
    }

    /// Writes it to standard output: objects and arrays inside others on one line each, as `jq -c` lines would be.
    public func print() { Output.line(text) }

    /// The document, without an end of line.
    public var text: String {
        var output = ""
        write(to: &output, indent: 0)
        return output
    }

    private func write(to output: inout String, indent: Int) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .integer(let value): output += String(value)
        case .unsigned(let value): output += String(value)
        case .number(let value): output += value.isFinite ? String(value) : "null"
        case .string(let value): Self.write(value, to: &output)
        case .array(let values):
            Self.write(values.count, "[", "]", to: &output, indent: indent) { position, output in
                values[position].write(to: &output, indent: indent + 2)
            }
        case .object(let members):
            Self.write(members.count, "{", "}", to: &output, indent: indent) { position, output in
                Self.write(members[position].key, to: &output)
                output += ": "
                members[position].value.write(to: &output, indent: indent + 2)
            }
        }
    }

    private static func write(
        _ count: Int, _ opening: String, _ closing: String, to output: inout String, indent: Int,
        _ element: (Int, inout String) -> Void
    ) {
        output += opening
        for position in 0..<count {
            output += (position == 0 ? "\n" : ",\n") + String(repeating: " ", count: indent + 2)
            element(position, &output)
        }
        if count > 0 { output += "\n" + String(repeating: " ", count: indent) }
        output += closing
    }

    private static func write(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\t": output += "\\t"
            case "\r": output += "\\r"
            case "\u{0}"..."\u{1f}", "\u{7f}":
                output += "\\u00" + Hex.encode([UInt8(truncatingIfNeeded: scalar.value)])
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
