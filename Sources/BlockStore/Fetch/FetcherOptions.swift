internal import Support

/// Limits of a `BlockFetcher`.
public struct FetcherOptions: Sendable, Hashable {
    /// Threads that verify, decrypt and decompress: by default one per core.
    public var decodeThreads: Int
    /// Bytes of blocks under way. A larger block goes alone.
    ///
    /// A block counts with its stored length at most, and with its plain length as well while it is decoded: room for
    /// what each decoding thread takes at a time is set aside. Two threads leave room for 175 zstd blocks of 512 KiB, 164 of
    /// them for readahead: 287 MB/s at 300 ms of round trip.
    public var memoryBudget = 96 << 20
    /// Blocks of 512 KiB or more under way at most; of smaller ones in proportion.
    public var window = 192
    /// Blocks of at most 64 KiB under way at most: at 300 ms of round trip 25,000 blocks/s for readahead, more than the
    /// system calls of one reader allow.
    public var smallBlockWindow = 8192
    /// How long a block is waited for while nothing of it comes: from stores that are away, broken or silent.
    ///
    /// Several stores share it. As long as bytes come from the last of them the wait goes on, up to `deadline`.
    public var timeout: Duration = .seconds(10)
    /// How long a fetch may take altogether when it names no deadline. A line of 10 KB/s brings four blocks of 512 KiB
    /// at the same time within 210 s.
    public var deadline: Duration = .seconds(300)
    /// The pause after all stores failed once; doubled from round to round.
    public var firstRetryDelay: Duration = .milliseconds(100)
    public var longestRetryDelay: Duration = .seconds(5)

    /// The most plain bytes that a decoding thread takes at a time, unless a single block has more: 4 MiB, and less where there
    /// are more than six threads.
    var decodedTogether: Int { min(4 << 20, memoryBudget / (4 * max(1, decodeThreads))) }

    /// Sets `timeout`, and `deadline` in proportion.
    public mutating func setTimeout(_ timeout: Duration) {
        self.timeout = timeout
        deadline = timeout * 30
    }

    public init() { decodeThreads = min(64, Processors.count) }
}
