internal import Glibc

extension MessagePackValue {
    /// The type that the specification keeps for times.
    fileprivate static let timestampType: Int8 = -1

    /// A time since 1970, in the shortest of the three forms, as Go writes a `time.Time`.
    public static func timestamp(seconds: Int64, nanoseconds: UInt32) -> MessagePackValue {
        let nanoseconds = min(nanoseconds, 999_999_999)
        guard seconds >= 0, seconds < 1 << 34 else {
            return .ext(timestampType, bigEndian(nanoseconds) + bigEndian(UInt64(bitPattern: seconds)))
        }
        let both = UInt64(nanoseconds) << 34 | UInt64(seconds)
        return .ext(timestampType, UInt32(exactly: both).map(bigEndian) ?? bigEndian(both))
    }

    /// The time of the wall clock.
    static func timestamp(_ time: timespec) -> MessagePackValue {
        .timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) }
    }
}

extension MessagePackValue {
    /// Seconds since 1970 and nanoseconds of any of the three forms; nil for everything else.
    public var time: (seconds: Int64, nanoseconds: UInt32)? {
        guard case .ext(Self.timestampType, let bytes) = self else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: return (Int64(number(0..<4)), 0)
        case 8:
            let both = number(0..<8)
            return (Int64(both & (1 << 34 - 1)), UInt32(both >> 34))
        case 12: return (Int64(bitPattern: number(4..<12)), UInt32(number(0..<4)))
        default: return nil
        }
    }
}
