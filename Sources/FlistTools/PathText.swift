internal import Support

/// Paths of any bytes as text for people, on one line.
public enum PathText {
    /// UTF-8 as it is; control characters, backslashes and all other bytes as `\` and three octal digits.
    public static func escaped(_ path: [UInt8]) -> String {
        if let text = String(validating: path, as: UTF8.self), !text.unicodeScalars.contains(where: isOdd) {
            return text
        }
        var output = ""
        for scalar in String(decoding: path, as: UTF8.self).unicodeScalars where scalar == "\u{fffd}" {
            // Not UTF-8 somewhere: byte by byte then.
            return path.map { (0x20...0x7e).contains($0) && $0 != 0x5c ? String(Unicode.Scalar($0)) : octal($0) }
                .joined()
        }
        for scalar in String(decoding: path, as: UTF8.self).unicodeScalars {
            output += isOdd(scalar) ? String(scalar).utf8.map(octal).joined() : String(scalar)
        }
        return output
    }

    private static func isOdd(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\\" { return true }
        switch scalar.properties.generalCategory {
        // Format characters can turn the direction of what follows.
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }

    private static func octal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 8)
        return "\\" + String(repeating: "0", count: max(0, 3 - digits.utf8.count)) + digits
    }
}
