public import BlockCodec
public import BlockStore
public import FlistImage

/// Where unpacking and checking get the blocks of a flist from. Thread-safe.
public struct BlockSupply: Sendable {
    public typealias Completion = @Sendable (Result<BlockBuffer, FetchError>) -> Void
    public typealias Fetch =
        @Sendable (_ reference: BlockReference, _ file: InodeNumber, _ block: Int, _ completion: @escaping Completion)
        ->
        Void

    let fetch: Fetch

    /// - Parameter fetch: Starts to fetch a block, of a file of the flist, and returns at once. The completion may run
    ///   on any thread, exactly once, with verified plain bytes.
    public init(_ fetch: @escaping Fetch) { self.fetch = fetch }

    /// Blocks as the stores have them, without a cache.
    public init(_ fetcher: BlockFetcher, _ router: BlockRouter) {
        fetch = { reference, _, _, completion in fetcher.fetch(reference, from: router, .demand, completion: completion)
        }
    }
}

/// How far unpacking or checking is.
public struct BlockProgress: Sendable, Hashable {
    /// Plain bytes done.
    public var bytes: UInt64 = 0
    /// Plain bytes in all, without holes.
    public var totalBytes: UInt64 = 0
    /// Entries made, or blocks checked.
    public var items: UInt64 = 0
}
