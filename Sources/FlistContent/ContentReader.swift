public import BlockCache
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
    private static let mostOpenFiles = 4096

    public let index: TreeIndex
    private let cache: BlockCache?
    let directory = Mutex(DirectoryWindow())
    let loader: BlockLoader
    let recorder = ProfileRecorder()
    private let counters = ContentCounters()
    private let open = Mutex(OpenFiles())
    private let openLimit: Int

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
    }

    var hasCache: Bool { cache != nil }

    /// What has been read through this so far.
    public var statistics: ContentStatistics { counters.snapshot }

    /// The content of a regular file; nil for anything else.
    public func file(_ inode: InodeNumber) -> ContentFile? {
        if let file = open.withLock({ $0.files[inode] }) {
            file.recentlyUsed.store(true, ordering: .relaxed)
            return file
        }
        guard let blocks = index.blocks(of: inode) else { return nil }
        let id = ContentID.of(blocks)
        let file = ContentFile(
            blocks: blocks, inode: inode, id: id, object: cache?.object(for: id, blocks: blocks), loader: loader,
            counters: counters, recorder: recorder)
        // Files are let go of outside the lock, since that closes descriptors.
        let (kept, dropped) = open.withLock { open -> (ContentFile, [ContentFile]) in
            if let other = open.files[inode] { return (other, [file]) }
            let dropped = open.files.count >= openLimit ? open.evict(openLimit / 8) : []
            open.files[inode] = file
            return (file, dropped)
        }
        withExtendedLifetime(dropped) {}
        return kept
    }
}

/// The files that are open, by inode.
private struct OpenFiles {
    var files: [InodeNumber: ContentFile] = [:]

    /// Takes out files that were not used since the last look, by the clock algorithm.
    mutating func evict(_ wanted: Int) -> [ContentFile] {
        var dropped: [ContentFile] = []
        for round in 0..<2 where dropped.count < wanted {
            for (inode, file) in files {
                if dropped.count == wanted { break }
                let used = file.recentlyUsed.exchange(false, ordering: .relaxed)
                guard !used || round == 1 else { continue }
                files[inode] = nil
                dropped.append(file)
            }
        }
        return dropped
    }
}
