public import BlockCache
public import BlockStore
internal import FlistContent
public import Hub
internal import Keeper
public import Logging
public import Support
public import Volumes

/// Mounts flists under names, as the flist module of a Zero-OS node does.
///
/// A flist is mounted once, read-only, at `ro/<md5>`, and served by this process; a named mount shows it at
/// `mountpoint/<name>`, read-only or below a writable folder with a limit. The kernel's mount table is the only state.
/// Thread-safe: calls for different names run at the same time, calls for one name one after the other. All block.
public final class Flister: Sendable {
    /// What holds for all flists.
    public struct Settings: Sendable {
        /// The folder of everything, made if it is missing.
        public var root: String
        public var cache = BlockCache.Options()
        public var fetcher = FetcherOptions()
        /// How cached contents are checked in the background; nil for not at all.
        public var scrub: ScrubOptions?
        /// The store of flists that do not say where their blocks are.
        public var fallback = "redis://hub.threefold.me:9900"
        /// What addresses of flists without a scheme are relative to.
        public var hubAddress = "https://hub.threefold.me"
        public var hub = Hub.Options()
        /// Downloaded flists that were not used for this long are removed; contents have their own age in `cache`.
        public var maximumAge: Duration = .seconds(90 * 24 * 60 * 60)
        /// How long one call may work on a name before others for that name are refused instead of waiting for it.
        public var callPatience: Duration = .seconds(10)
        /// How long mounts wait for the next process when this one has ended; zero to end them with it.
        public var keepPatience: Duration = .zero
        public var logger = Logger(label: "flistd")

        public init(root: String) { self.root = root }
    }

    /// Where a Flister serves when nothing else is said.
    public static let defaultRoot = "/var/cache/modules/flistd"

    /// Where the one that serves a root tells what it serves.
    public static func controlSocket(in root: String) -> String { "\(root)/control" }

    public var controlSocket: String { Self.controlSocket(in: folders.root) }

    let folders: NodeFolders
    let hub: Hub
    let volumes: any VolumeStore
    let figures: VolumeFigures
    let shared: SharedMounts
    let resources: ContentResources
    /// One call at a time for each name.
    let names = KeyedLocks()
    /// Of marks on folders that callers gave: they lie in each other, so that one key stands for all.
    let persisted = KeyedLocks()
    let logger: Logger
    private let fallback: StoreRoute
    private let hubAddress: String
    private let lock: RootLock
    private let keeper: NodeKeeper?
    let maximumAge: Duration
    private let callPatience: Duration

    /// Makes the folders and takes the root for this process. What an earlier run left is not touched: see `recover`.
    ///
    /// - Parameter volumes: where the writable sides of named mounts are made.
    /// - Throws: `busy` when another process serves the root, `usage` for a fallback that is no store.
    public init(_ settings: Settings, volumes: any VolumeStore) throws(FlistError) {
        folders = try NodeFolders(preparing: settings.root)
        lock = try RootLock(folders)
        // Without the mount table, which takes /proc, nothing here would work.
        _ = try NodeMounts.current(folders)
        fallback = try StoreRoute(parsing: settings.fallback)
        hubAddress = settings.hubAddress
        hub = try Hub(folder: folders.flists, options: settings.hub, logger: settings.logger)
        resources = try ContentResources(
            cacheFolder: folders.cache, cache: settings.cache, fetcher: settings.fetcher)
        if let scrub = settings.scrub { resources.cache?.startScrubbing(scrub) }
        // Under the lock: the process before is gone, to its last thread.
        keeper = Self.openKeeper(folders, settings)
        shared = SharedMounts(folders, resources, keeper: keeper, logger: settings.logger)
        self.volumes = volumes
        figures = VolumeFigures(volumes)
        logger = settings.logger
        maximumAge = settings.maximumAge
        callPatience = settings.callPatience
    }

    /// A node without a keeper serves all the same.
    private static func openKeeper(_ folders: NodeFolders, _ settings: Settings) -> NodeKeeper? {
        guard settings.keepPatience > .zero else { return nil }
        do throws(FlistError) {
            return try NodeKeeper("\(folders.root)/keeper", patience: settings.keepPatience, logger: settings.logger)
        } catch {
            settings.logger.error("mounts will end with this process", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Goes on with the mounts that an earlier process left with its keeper.
    func takeOver() {
        guard let keeper else { return }
        shared.takeOver(keeper.inherited) { stores($0) }
        keeper.watch { [shared] in shared.all.forEach(shared.keep) }
    }

    /// Ends what runs in the background. Named mounts stay in the tree, for `recover` of the next process, and answer
    /// nothing until then: with a keeper what is asked meanwhile waits for that process, and this one goes on serving
    /// until it ends, which has to be at once.
    public func close() {
        hub.close()
        shared.close()
        if keeper == nil { resources.close() }
        // An overlay holds what is below it in a way that does not keep it from being unmounted.
        let mounts = try? NodeMounts.current(folders)
        if mounts?.named.allSatisfy({ $0.layers == nil }) ?? false { volumes.close() }
    }

    /// Does what only one call at a time may do for a name.
    ///
    /// A caller who asks again and again for what takes long must not take up all workers of a bus, one call behind the
    /// other.
    /// - Throws: `busy` when another call has worked on the name for as long as others wait.
    func withName<Result>(_ name: MountName, _ body: () throws(FlistError) -> Result) throws(FlistError) -> Result {
        if let result = try names.withLock(name.text, within: callPatience, body) { return result }
        throw FlistError(
            .busy, "\(name.text) is being mounted or unmounted by another call; ask again when that has ended")
    }

    /// The stores for a flist: the one that the caller names, then the flist's own, and at last the fallback.
    func stores(_ storage: String) throws(FlistError) -> StoreChoice {
        var choice = StoreChoice()
        if !storage.isEmpty { choice.stores = [try StoreRoute(parsing: storage)] }
        choice.fallback = [fallback]
        return choice
    }

    /// Those that a note names; without its own store where that is none, since a mount that was must go on.
    func stores(_ hint: MountHint) -> StoreChoice {
        do throws(FlistError) {
            return try stores(hint.storage)
        } catch {
            logger.error(
                "a store of an earlier run is left out", metadata: ["url": "\(hint.url)", "error": "\(error)"])
            var choice = StoreChoice()
            choice.fallback = [fallback]
            return choice
        }
    }

    /// An address without a scheme is one on the hub.
    func address(of flist: String) -> String {
        if flist.contains("://") { return flist }
        let base = hubAddress.hasSuffix("/") ? String(hubAddress.dropLast()) : hubAddress
        return flist.hasPrefix("/") ? base + flist : "\(base)/\(flist)"
    }

    /// Removes mounts that nothing needs and folders that nothing is mounted on. What fails is logged.
    func clean() {
        do throws(FlistError) {
            try shared.unmountUnused()
            let mounts = try NodeMounts.current(folders)
            for folder in Folder.names(in: folders.named) {
                guard let name = try? MountName(folder), mounts.named(name) == nil else { continue }
                // Whoever holds the name's lock is about to mount there. What others left in a folder stays.
                _ = try names.withLockIfFree(folder) { () throws(FlistError) in
                    try? MountPoint.remove(folders.path(of: name))
                }
            }
        } catch {
            logger.error("cannot clean up", metadata: ["error": "\(error)"])
        }
    }
}
