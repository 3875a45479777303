/// A list of byte strings as one: each after its length, four bytes, little-endian. For what one process of the
/// program tells another.
public enum Fields {
    public static func encode(_ fields: [[UInt8]]) -> [UInt8] {
        var result: [UInt8] = []
        for field in fields {
            withUnsafeBytes(of: UInt32(clamping: field.count).littleEndian) { result += $0 }
            result += field
        }
        return result
    }

    /// Nil where the bytes end within a field.
    public static func decode(_ bytes: some Collection<UInt8>) -> [[UInt8]]? {
        var fields: [[UInt8]] = []
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let length = Int(rest.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) })
            rest = rest.dropFirst(4)
            guard length <= rest.count else { return nil }
            fields.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return fields
    }
}
