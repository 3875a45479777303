internal import FlistImage
internal import Glibc

/// Times as people read them, in the local zone (TZ).
enum TimeText {
    /// As `ls -l --time-style=long-iso`: 2026-11-24 08:15.
    static func minutes(_ time: Timestamp) -> String { format(time, "%Y-%m-%d %H:%M") }

    /// As stat(1): 2026-11-24 08:15:01.123456789 +0000.
    static func full(_ time: Timestamp) -> String {
        let fraction = String(time.nanoseconds)
        let padded = String(repeating: "0", count: max(0, 9 - fraction.utf8.count)) + fraction
        return format(time, "%Y-%m-%d %H:%M:%S") + "." + padded + format(time, " %z")
    }

    private static func format(_ time: Timestamp, _ pattern: String) -> String {
        var seconds = time_t(time.seconds)
        var parts = tm()
        // Fails for years that do not fit in 32 bits.
        guard localtime_r(&seconds, &parts) != nil else { return String(time.seconds) }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            let count = strftime(base, buffer.count, pattern, &parts)
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
