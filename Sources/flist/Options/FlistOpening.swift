internal import BlockCache
internal import BlockStore
internal import FlistContent
internal import FlistImage
internal import Logging
internal import ProgramSupport
internal import Support

/// Opens what a command is about.
enum FlistOpening {
    /// Names and attributes only: no store is asked, and the index is not kept.
    static func index(_ flist: FlistArgument) throws -> TreeIndex {
        try FlistLocation.open(flist.flist, indexFolder: nil)
    }

    /// Contents too.
    static func content(
        _ flist: FlistArgument, _ cache: CacheOptions, _ stores: StoreOptions, _ patience: PatienceOptions
    ) throws -> OpenFlist {
        ProgramLog.startComplaining()
        return try OpenFlist(flist.flist, options: options(cache, stores, patience))
    }

    /// - Parameters:
    ///   - cache: nil for commands that keep nothing.
    ///   - patience: nil for the usual one.
    static func options(
        _ cache: CacheOptions?, _ stores: StoreOptions, _ patience: PatienceOptions? = nil
    ) throws -> ContentOptions {
        var options = ContentOptions()
        if let patience { options.fetcher.setTimeout(patience.timeout) }
        // What fails is told by the command itself; a mount, which lives on, logs.
        options.logger = Logger(label: "flist", factory: { _ in SwiftLogNoOpLogHandler() })
        options.cacheFolder = cache?.path
        options.cache.quota = cache?.size?.bytes
        options.stores.stores = try stores.stores.map { try StoreRoute(parsing: $0) }
        options.stores.router = try stores.router.map(router)
        return options
    }

    /// Reads a router.yaml.
    static func router(_ path: String) throws -> RouteTable {
        try RouteTable.parse(routerYAML: SmallFile.read(path, limit: 1 << 20), name: path)
    }

    /// The entry that a path names; a symlink at its end is followed only when asked to, others always.
    static func entry(
        _ path: String, in index: TreeIndex, of flist: FlistArgument, followingLast: Bool = false
    ) throws -> InodeNumber {
        guard let number = index.resolve(path: Array(path.utf8), followingLast: followingLast) else {
            throw FlistError(.notFound, "\(path): not in \(flist.flist)")
        }
        return number
    }
}
