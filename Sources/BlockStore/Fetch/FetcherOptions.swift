internal import Support

/// Limits of a `BlockFetcher`.
public struct FetcherOptions: Sendable, Hashable {
    /// Threads that verify, decrypt and decompress: by default one per core.
    public var decodeThreads: Int
    /// Bytes of blocks under way. A larger block goes alone.
    ///
    /// A block counts with its stored length at most, and with its plain length as well while it is decoded: room for
    /// one plain block for each decoding thread is set aside. Two threads leave room for 188 blocks of 512 KiB: 310 MB/s
    /// at 300 ms of round trip.
    public var memoryBudget = 96 << 20
    /// Blocks under way at most.
    public var window = 192
    /// The same for blocks of at most 64 KiB: at 300 ms of round trip 13,000 blocks/s, as many as the system calls of
    /// one reader allow.
    public var smallBlockWindow = 4096
    /// How long one store may take for one block before the next is asked.
    public var attemptTimeout: Duration = .seconds(10)
    /// How long a fetch may take altogether when it names no deadline.
    public var deadline: Duration = .seconds(60)
    /// The pause after all stores failed once; doubled from round to round.
    public var firstRetryDelay: Duration = .milliseconds(100)
    public var longestRetryDelay: Duration = .seconds(5)

    public init() { decodeThreads = min(64, Processors.count) }
}
