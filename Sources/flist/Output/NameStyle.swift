internal import Support
internal import ProgramSupport

/// How names are shown: as they are to a program, without control characters to a person, as ls(1) does.
enum NameStyle {
    /// For stdout: raw bytes when piped.
    static func bytes(_ name: [UInt8]) -> [UInt8] {
        Terminal.outputIsTerminal ? Array(escaped(name).utf8) : name
    }

    /// Printable text as it is; control characters, backslashes and bytes that are no UTF-8 with a backslash, as
    /// `ls -b` writes them. Always one line.
    static func escaped(_ name: [UInt8]) -> String {
        var output = ""
        var rest = name[...]
        while let byte = rest.first {
            let length = sequenceLength(byte)
            if length > 0, let text = String(validating: rest.prefix(length), as: UTF8.self),
                let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1
            {
                output += escaped(scalar)
                rest = rest.dropFirst(length)
            } else {
                output += octal(byte)
                rest = rest.dropFirst()
            }
        }
        return output
    }

    static func escaped(_ text: String) -> String { escaped(Array(text.utf8)) }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\t": return "\\t"
        case "\r": return "\\r"
        case "\\": return "\\\\"
        default: break
        }
        switch scalar.properties.generalCategory {
        // Format characters too: they can turn the direction of what follows.
        case .control, .format, .lineSeparator, .paragraphSeparator:
            return String(scalar).utf8.map(octal).joined()
        default: return String(scalar)
        }
    }

    private static func sequenceLength(_ byte: UInt8) -> Int {
        switch byte {
        case 0..<0x80: 1
        case 0xc2..<0xe0: 2
        case 0xe0..<0xf0: 3
        case 0xf0..<0xf5: 4
        default: 0
        }
    }

    private static func octal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
