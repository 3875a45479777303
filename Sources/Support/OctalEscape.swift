/// Bytes of a name within a line of text, as the kernel's mount table has them: odd ones as `\` and three octal digits.
public enum OctalEscape {
    /// Replaces each backslash and three octal digits by the byte they stand for; what is none stays.
    public static func decode(_ field: ArraySlice<UInt8>) -> [UInt8] {
        guard field.contains(UInt8(ascii: "\\")) else { return Array(field) }
        var result: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            let isOctal = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
            guard byte == UInt8(ascii: "\\"), digits.count == 3, isOctal else {
                result.append(byte)
                continue
            }
            result.append(digits.reduce(0) { $0 &<< 3 | ($1 & 7) })
            rest = rest.dropFirst(3)
        }
        return result
    }

    /// Escapes backslashes and control characters, and what is not ASCII where the whole is not UTF-8.
    public static func encode(_ bytes: [UInt8]) -> [UInt8] {
        let isText = String(validating: bytes, as: UTF8.self) != nil
        return bytes.flatMap { byte -> [UInt8] in
            let isPlain = byte >= 0x20 && byte != 0x7f && byte != UInt8(ascii: "\\") && (byte < 0x80 || isText)
            guard !isPlain else { return [byte] }
            return [UInt8(ascii: "\\")] + [byte >> 6, byte >> 3 & 7, byte & 7].map { UInt8(ascii: "0") + $0 }
        }
    }
}
