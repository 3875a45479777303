public import BlockCodec
internal import CLinux
internal import Glibc
public import Support
internal import Synchronization

/// Keeps the plain contents of files on disk, one object per content, for all flists, mounts and processes.
///
/// Thread-safe, and safe beside other processes on the same folder. Nothing in it is needed: without a disk that
/// takes anything, objects hold nothing and everything comes from the stores. The quota counts contents; folders and
/// the tree indexes in `indexFolder` come on top.
public final class BlockCache: Sendable {
    /// How much is kept, and for how long.
    public struct Options: Sendable, Hashable {
        /// Bytes of contents, of all processes together; nil for no limit but the free share.
        public var quota: UInt64?
        /// The share of the disk that is left alone, from 0 to 1.
        public var freeShare: Double
        /// What was not used for so long is removed by `collect`.
        public var maximumAge: Duration

        public init(
            quota: UInt64? = nil, freeShare: Double = 0.05, maximumAge: Duration = .seconds(90 * 24 * 60 * 60)
        ) {
            self.quota = quota
            self.freeShare = freeShare
            self.maximumAge = maximumAge
        }
    }

    /// Whether a cache was made in a folder.
    public static func isThere(_ folder: String) -> Bool { CacheFolder(path: folder).isThere }

    /// The folder that was given.
    public let folder: String
    let options: Options
    let core: CacheCore
    /// Nil while nothing is checked in the background.
    let scrubber = Mutex<Scrubber?>(nil)
    private let serials = Atomic<UInt64>(0)

    /// Opens a cache, and makes its folders (mode 0700) where they are missing. Blocks.
    ///
    /// - Throws: If the folder cannot be made, is no folder, may be written by others, or holds what is not a cache's.
    public convenience init(folder: String, options: Options = Options()) throws(FlistError) {
        try self.init(folder: folder, options: options, boot: .current)
    }

    init(folder: String, options: Options, boot: BootID) throws(FlistError) {
        self.folder = folder
        self.options = options
        let paths = CacheFolder(path: folder)
        try paths.prepare()
        let core = CacheCore(folder: paths, options: options, boot: boot)
        self.core = core
        core.ledger.setMakeRoom { [weak core] bytes, isDiskFull in
            core?.makeRoomAskingHolders(for: bytes, isDiskFull: isDiskFull) ?? false
        }
        core.durability.setOnLoss { [weak core] in core?.distrust() }
        core.enterBoot()
        core.noteClock(.current(boot))
        if core.isFreshTrusted.load(ordering: .acquiring) { core.durability.adopt() }
    }

    deinit { close() }

    /// Where tree indexes are kept.
    public var indexFolder: String { core.folder.index }

    /// Where profiles are kept; made by whoever keeps one. `clear` leaves them: they are needed when all else is gone.
    public var profileFolder: String { Self.profileFolder(in: folder) }

    /// The same for a cache that need not be open.
    public static func profileFolder(in cacheFolder: String) -> String { CacheFolder(path: cacheFolder).profile }

    /// Whether the cache keeps what a list names: at most 2^26 blocks, as many as the size has.
    ///
    /// Of all others `ContentID` knows the sizes alone: they need another name.
    public static func takes(_ blocks: any BlockList) -> Bool { BlockLayout(blocks).isValid }

    /// The object of a content, open until it is let go of. Never fails: it may hold nothing. Blocks on the disk.
    ///
    /// - Parameter content: `ContentID.of(blocks)`, which callers keep.
    public func object(for content: Digest, blocks: any BlockList) -> CachedObject {
        if let open = core.openObject(content) { return open }
        let serial = serials.add(1, ordering: .relaxed).newValue
        let made = CachedObject(content: content, blocks: blocks, core: core, serial: serial)
        return core.table.withLock { table in
            if let other = table[content]?.object { return other }
            table[content] = CacheCore.Entry(object: made, serial: serial)
            return made
        }
    }

    /// Asks a holder from now on to let go of contents when there is no room for others. It is not kept alive.
    public func add(_ holder: any ContentHolder) { core.holders.withLock { $0.add(holder) } }

    /// Ends the cache's thread and gives its reservations back. Open objects can still be read, and store no more.
    ///
    /// Idempotent. Begins no sync, and waits for one under way: what is not yet known to be on the disk is taken over by
    /// the next process.
    public func close() {
        guard !core.closed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        scrubber.withLock { $0 }?.stop()
        core.durability.stop()
        core.ledger.close()
        core.workspace.close()
    }

    /// Ends as a killed process would: nothing is given back or removed.
    func abandon() {
        guard !core.closed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        scrubber.withLock { $0 }?.stop()
        core.durability.stop()
        core.workspace.close(abandon: true)
    }
}
