public import BlockCache
public import BlockStore
public import Support

/// What all flists that a process has open share: one cache and one queue of fetches.
///
/// Thread-safe.
public final class ContentResources: Sendable {
    /// Nil when nothing is kept on disk.
    public let cache: BlockCache?
    public let fetcher: BlockFetcher

    /// Opens the cache folder, if one is given. Blocks on the disk.
    public init(
        cacheFolder: String?, cache options: BlockCache.Options = BlockCache.Options(),
        fetcher fetching: FetcherOptions = FetcherOptions()
    ) throws(FlistError) {
        cache = try cacheFolder.map { folder throws(FlistError) in try BlockCache(folder: folder, options: options) }
        fetcher = BlockFetcher(options: fetching)
    }

    /// Ends what runs in the background; reads under way are answered with an error before this returns.
    ///
    /// The flists that share this have to be closed before. Idempotent.
    public func close() {
        fetcher.shutdown()
        cache?.close()
    }
}
