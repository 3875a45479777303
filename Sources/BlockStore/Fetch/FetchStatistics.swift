/// What a `BlockFetcher` did and has to do.
public struct FetchStatistics: Sendable, Hashable {
    /// Blocks fetched and verified.
    public internal(set) var blocks: UInt64 = 0
    public internal(set) var storedBytes: UInt64 = 0
    public internal(set) var plainBytes: UInt64 = 0
    /// Requests that found the same block already under way.
    public internal(set) var joined: UInt64 = 0
    /// Further attempts after a failed one, at the next store or after a pause.
    public internal(set) var retries: UInt64 = 0
    /// Second requests for a block whose store was late, and how many of them were answered first.
    public internal(set) var hedges: UInt64 = 0
    public internal(set) var hedgesWon: UInt64 = 0
    /// Blocks that could not be had.
    public internal(set) var failures: UInt64 = 0
    /// Blocks dropped since nobody waited any more.
    public internal(set) var cancelled: UInt64 = 0
    /// Blocks asked of stores or being decoded.
    public internal(set) var inFlight = 0
    /// Their memory, and the most it ever was: stored and plain lengths at most, in bytes.
    public internal(set) var inFlightBytes = 0
    public internal(set) var peakInFlightBytes = 0
    public internal(set) var peakInFlight = 0
    /// Blocks waiting, by class.
    public internal(set) var queued: [FetchClass: Int] = [:]

    public init() {}
}
