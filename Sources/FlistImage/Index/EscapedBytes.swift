/// Bytes of a name or path as one line for people.
enum EscapedBytes {
    /// More than this many bytes are cut in the middle: a path may be a megabyte long.
    private static let limit = 320

    /// Printable ASCII as it is, a backslash doubled, everything else as `\xNN`.
    static func render(_ bytes: some Collection<UInt8>) -> String {
        guard bytes.count > limit else { return escape(bytes) }
        return escape(bytes.prefix(limit / 2)) + "..." + escape(bytes.suffix(limit / 2))
    }

    private static func escape(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var output: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\"): output += [byte, byte]
            case 0x20...0x7e: output.append(byte)
            default: output += [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
