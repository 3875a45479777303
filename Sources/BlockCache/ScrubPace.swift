/// Keeps a reader to so many bytes a second, whatever the sizes of its reads.
struct ScrubPace {
    let bytesPerSecond: UInt64
    /// When all that was read so far is paid for, in nanoseconds.
    private var paid: UInt64 = 0
    /// Shorter waits are saved up: waking is not free.
    private static let shortest: UInt64 = 50_000_000
    /// What opening a content costs, in bytes read.
    static let open = 32 << 10

    init(bytesPerSecond: UInt64) { self.bytesPerSecond = max(1, bytesPerSecond) }

    /// How long to wait before so many bytes are read, in nanoseconds; 0 for not at all.
    mutating func delay(before bytes: Int, now: UInt64) -> UInt64 {
        let begin = max(paid, now)
        let cost = Double(max(0, bytes)) / Double(bytesPerSecond) * 1e9
        paid = begin &+ UInt64(min(cost, 1e18))
        return begin - now < Self.shortest ? 0 : begin - now
    }
}
