internal import Support

/// Limits of a `BlockFetcher`.
public struct FetcherOptions: Sendable, Hashable {
    /// Threads that verify, decrypt and decompress: by default one per core.
    public var decodeThreads: Int
    /// Bytes of blocks under way, each counted with its stored and plain length at most. A larger block goes alone.
    public var memoryBudget = 96 << 20
    /// Blocks under way at most. 90 blocks of 512 KiB at 300 ms of round trip are 150 MB/s.
    public var window = 128
    /// The same for blocks of at most 64 KiB.
    public var smallBlockWindow = 512
    /// How long one store may take for one block before the next is asked.
    public var attemptTimeout: Duration = .seconds(10)
    /// How long a fetch may take altogether when it names no deadline.
    public var deadline: Duration = .seconds(60)
    /// The pause after all stores failed once; doubled from round to round.
    public var firstRetryDelay: Duration = .milliseconds(100)
    public var longestRetryDelay: Duration = .seconds(5)

    public init() { decodeThreads = min(64, Processors.count) }
}
