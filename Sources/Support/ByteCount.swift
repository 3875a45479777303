/// A number of bytes, read and shown with the units people write: `512KiB`, `10GiB`, `1.5G`, `4096`.
public struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let bytes: UInt64

    public init(_ bytes: UInt64) { self.bytes = bytes }

    private static let binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// Reads digits, an optional fraction, and an optional unit. `K`, `KB` and `KiB` all mean 1,024 bytes.
    /// Nil for anything else, and for what does not fit in 64 bits.
    public init?(parsing text: String) {
        let trimmed = text.lowercased()
        let number = trimmed.prefix { $0.isNumber || $0 == "." }
        let unit = trimmed.dropFirst(number.count).drop { $0 == " " }
        guard let letter = unit.first else {
            guard let plain = UInt64(number) else { return nil }
            self.init(plain)
            return
        }
        let powers: [Character: Int] = ["b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6]
        guard let power = powers[letter], ["", "b", "ib"].contains(unit.dropFirst()), power > 0 || unit == "b",
            let value = Double(number), value >= 0
        else { return nil }
        let scaled = value * Double(UInt64(1) << (10 * UInt64(power)))
        guard scaled < Double(UInt64.max) else { return nil }
        self.init(UInt64(scaled))
    }

    /// One decimal from 1 KiB on, as `ls -h` shows it: `1.5 GiB`.
    public var description: String {
        var value = Double(bytes)
        var unit = 0
        while value >= 1023.95, unit < Self.binary.count - 1 {
            value /= 1024
            unit += 1
        }
        if unit == 0 { return "\(bytes) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(Self.binary[unit])"
    }

    public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
}
