public import BlockCache
public import BlockStore
public import FlistImage
public import Logging
public import Support

/// Where a flist's bytes come from and are kept.
public struct ContentOptions: Sendable {
    /// The cache folder; nil to keep nothing on disk.
    public var cacheFolder: String?
    public var cache = BlockCache.Options()
    /// Stores that are asked before the flist's own.
    public var stores: [StoreRoute] = []
    /// Stores that are asked after all others.
    public var fallbackStores: [StoreRoute] = []
    /// A routing file that is asked before everything else.
    public var router: RouteTable?
    public var fetcher = FetcherOptions()
    public var logger = Logger(label: "flist")

    public init() {}
}

/// A flist ready to be read: its tree mapped, its bytes from the cache or the stores.
///
/// Thread-safe. Opening needs no store: only reads do.
public final class OpenFlist: Sendable {
    public let index: TreeIndex
    public let content: ContentReader
    public let cache: BlockCache?
    public let fetcher: BlockFetcher
    public let router: BlockRouter

    /// Opens a flist of any format.
    ///
    /// - Parameters:
    ///   - argument: a path, or an http(s) URL.
    ///   - options: where bytes come from and go to.
    /// - Throws: what is wrong with the flist, the cache folder or the stores, in one line.
    public init(_ argument: String, options: ContentOptions) throws(FlistError) {
        cache = try options.cacheFolder.map { folder throws(FlistError) in
            try BlockCache(folder: folder, options: options.cache)
        }
        index = try FlistLocation.open(argument, indexFolder: cache?.indexFolder)
        let routes = try FlistRoutes.table(
            for: index, stores: options.stores, router: options.router, fallback: options.fallbackStores,
            logger: options.logger)
        router = try BlockRouter(routes)
        fetcher = BlockFetcher(options: options.fetcher)
        var logger = options.logger
        logger[metadataKey: "flist"] = "\(FlistLocation.shown(argument))"
        content = ContentReader(index: index, cache: cache, fetcher: fetcher, router: router, logger: logger)
    }

    /// Ends what runs in the background. Reads under way are answered with an error before this returns.
    public func close() {
        fetcher.shutdown()
        router.close()
        cache?.close()
    }
}
