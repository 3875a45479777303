internal import Glibc

/// A moment of UTC as AWS writes it. Signatures are good for 15 minutes around the server's clock.
struct S3Time: Sendable, Hashable {
    /// `20130524T000000Z`
    let text: String

    /// `20130524`
    var day: String { String(text.prefix(8)) }

    static var now: S3Time { S3Time(seconds: time(nil)) }

    /// Seconds since 1970.
    init(seconds: Int) {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { Int($0) }
        text = date.map(Self.twoDigits).joined() + "T" + clock.map(Self.twoDigits).joined() + "Z"
    }

    private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
