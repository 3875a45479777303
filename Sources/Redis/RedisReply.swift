/// One answer of a Redis server.
public enum RedisReply: Equatable, Sendable {
    case null
    case integer(Int64)
    case bytes([UInt8])
    case status(String)
    case array([RedisReply])
    /// An error inside an array. One that is the whole answer is thrown as `RedisError.refused`.
    case error(String)
    /// Something that hiredis knows and we do not.
    case other

    /// Text of a server as it may be shown: printable ASCII, not too long.
    public static func printable(_ bytes: some Collection<UInt8>) -> String {
        String(
            decoding: bytes.prefix(200).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
