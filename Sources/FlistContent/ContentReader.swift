public import BlockCache
internal import BlockCodec
public import BlockStore
public import FlistImage
public import Logging
internal import Support
internal import Synchronization

/// Hands out the regular files of a flist for reading, and keeps those open that were read lately.
///
/// Thread-safe. Zero-message opens leave no word of when a file is closed, hence the table with a bound.
public final class ContentReader: Sendable {
    /// Open files at most. Each holds a descriptor or two; the limit of the process is checked too.
    private static let mostOpenFiles = 8192

    public let index: TreeIndex
    private let cache: BlockCache?
    let directory = Mutex(DirectoryWindow())
    let loader: BlockLoader
    let recorder = ProfileRecorder()
    private let counters = ContentCounters()
    private let open = Mutex(OpenFiles())
    let openLimit: Int
    /// Counts the files that were opened, and the looks for idle ones: enough to tell what was used before what.
    private let clock = Atomic<UInt64>(1)

    /// - Parameters:
    ///   - cache: where contents are kept; nil to keep them in memory for a moment only.
    ///   - memoryLimit: bytes of blocks kept in memory while the disk takes none.
    public init(
        index: TreeIndex, cache: BlockCache?, fetcher: BlockFetcher, router: BlockRouter, logger: Logger,
        memoryLimit: Int = 32 << 20
    ) {
        self.index = index
        self.cache = cache
        loader = BlockLoader(
            fetcher: fetcher, router: router, memory: MemoryBlocks(limit: memoryLimit), hasCache: cache != nil,
            counters: counters, index: index, logger: logger)
        // Two descriptors a file while it is partial, and half of all is left to the rest of the process.
        openLimit = max(16, min(Self.mostOpenFiles, ProcessLimits.openFiles / 4))
        cache?.add(self)
    }

    var hasCache: Bool { cache != nil }

    /// What has been read through this so far.
    public var statistics: ContentStatistics { counters.snapshot }

    /// The content of a regular file; nil for anything else.
    public func file(_ inode: InodeNumber) -> ContentFile? {
        if let file = open.withLock({ $0.files[inode] }) {
            file.lastUse.store(clock.load(ordering: .relaxed), ordering: .relaxed)
            return file
        }
        guard let blocks = index.blocks(of: inode) else { return nil }
        let isTaken = BlockCache.takes(blocks)
        let id = isTaken ? ContentID.of(blocks) : Self.name(of: inode)
        let object = isTaken ? cache?.object(for: id, blocks: blocks) : nil
        let file = ContentFile(
            blocks: blocks, inode: inode, id: id, object: object, loader: loader,
            counters: counters, recorder: recorder, now: clock.add(1, ordering: .relaxed).newValue)
        // Files are let go of outside the lock, since that closes descriptors.
        let (kept, dropped) = open.withLock { open -> (ContentFile, [ContentFile]) in
            if let other = open.files[inode] { return (other, [file]) }
            let dropped = open.files.count >= openLimit ? open.removeColdest(openLimit / 8) : []
            open.files[inode] = file
            return (file, dropped)
        }
        withExtendedLifetime(dropped) {}
        return kept
    }

    /// Tells a file that the cache does not take from others of this flist.
    private static func name(of inode: InodeNumber) -> Digest {
        BLAKE2b.hash(Array("flist inode \(inode)".utf8), .bytes32)
    }
}

extension ContentReader: ContentHolder {
    public func letGo(_ choice: HeldContents) {
        let dropped = open.withLock { open in
            switch choice {
            case .idle:
                let since = open.lastLook
                open.lastLook = clock.add(1, ordering: .relaxed).newValue
                return open.remove { $0.lastUse.load(ordering: .relaxed) < since }
            case .colderHalf: return open.removeColdest((open.files.count + 1) / 2)
            case .all: return open.remove { _ in true }
            }
        }
        // What is let go of here is closed here, outside the lock.
        withExtendedLifetime(dropped) {}
    }
}

/// The files that are open, by inode.
private struct OpenFiles {
    var files: [InodeNumber: ContentFile] = [:]
    /// What the clock showed at the last look for idle files.
    var lastLook: UInt64 = 0

    /// Takes out those that were not used for longest.
    mutating func removeColdest(_ count: Int) -> [ContentFile] {
        let coldest = files.map { (use: $1.lastUse.load(ordering: .relaxed), inode: $0) }
            .sorted { ($0.use, $0.inode) < ($1.use, $1.inode) }.prefix(count)
        return coldest.compactMap { files.removeValue(forKey: $0.inode) }
    }

    mutating func remove(_ isChosen: (ContentFile) -> Bool) -> [ContentFile] {
        let chosen = files.filter { isChosen($0.value) }
        for inode in chosen.keys { files[inode] = nil }
        return Array(chosen.values)
    }
}
