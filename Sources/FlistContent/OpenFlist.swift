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
    public var stores = StoreChoice()
    public var fetcher = FetcherOptions()
    public var logger = Logger(label: "flist")
    /// The flist's hash where it has to be that one: its index is used as the cache has it, without a look at the
    /// flist, which may be away; without an index any other flist is refused.
    public var hash: Digest?

    public init() {}
}

/// A flist ready to be read: its tree mapped, its bytes from the cache or the stores.
///
/// Thread-safe. Opening needs no store: only reads do.
public final class OpenFlist: Sendable {
    public let index: TreeIndex
    public let content: ContentReader
    public let router: BlockRouter
    private let resources: ContentResources
    private let ownsResources: Bool
    private let profile: StartProfile?

    public var cache: BlockCache? { resources.cache }
    public var fetcher: BlockFetcher { resources.fetcher }

    /// Opens a flist of any format, with a cache and a fetcher of its own.
    ///
    /// - Parameters:
    ///   - argument: a path, or an http(s) URL.
    ///   - options: where bytes come from and go to.
    /// - Throws: what is wrong with the flist, the cache folder or the stores, in one line.
    public convenience init(_ argument: String, options: ContentOptions) throws(FlistError) {
        let resources = try ContentResources(
            cacheFolder: options.cacheFolder, cache: options.cache, fetcher: options.fetcher)
        try self.init(
            argument, resources, options.stores, logger: options.logger, hash: options.hash, ownsResources: true)
    }

    /// Opens a flist of any format that shares cache and fetcher with others, who outlive it.
    ///
    /// - Parameter hash: as `ContentOptions` has it.
    public convenience init(
        _ argument: String, sharing resources: ContentResources, stores: StoreChoice, logger: Logger,
        hash: Digest? = nil
    ) throws(FlistError) {
        try self.init(argument, resources, stores, logger: logger, hash: hash, ownsResources: false)
    }

    private init(
        _ argument: String, _ resources: ContentResources, _ stores: StoreChoice, logger: Logger, hash: Digest?,
        ownsResources: Bool
    ) throws(FlistError) {
        self.resources = resources
        self.ownsResources = ownsResources
        index = try FlistLocation.open(argument, indexFolder: resources.cache?.indexFolder, hash: hash)
        router = try BlockRouter(try FlistRoutes.table(for: index, stores: stores, logger: logger))
        var logger = logger
        logger[metadataKey: "flist"] = "\(FlistLocation.shown(argument))"
        content = ContentReader(
            index: index, cache: resources.cache, fetcher: resources.fetcher, router: router, logger: logger)
        profile = resources.cache.map { [content] cache in
            StartProfile(content, ProfileFolder(cache.profileFolder), logger: logger)
        }
    }

    /// Brings what earlier starts of this flist read into the cache, before it is asked for and after all that is, and
    /// records what is read in the first minute where no start was recorded in full. Call once, when it is mounted.
    ///
    /// Blocks on the disk for a moment. Does nothing without a cache. `close` ends it.
    public func startProfile() { profile?.start() }

    /// Ends what runs in the background. Reads under way are answered with an error before this returns, or, where
    /// cache and fetcher are shared, soon afterwards.
    public func close() {
        profile?.stop()
        router.close()
        if ownsResources { resources.close() }
    }
}
