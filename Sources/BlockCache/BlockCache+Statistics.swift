internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// What a cache holds, counted on disk.
public struct CacheStatistics: Sendable, Hashable {
    /// Complete contents.
    public var objects = 0
    /// Contents of which some blocks are there.
    public var partial = 0
    /// Complete contents that are not yet known to be on disk; among `objects`.
    public var fresh = 0
    /// Partial contents with blocks that have to be verified before use; among `partial`.
    public var suspect = 0
    /// Bytes on disk of all contents and their maps.
    public var bytes: UInt64 = 0
    public var indexFiles = 0
    /// Bytes on disk of the tree indexes, which the quota does not count.
    public var indexBytes: UInt64 = 0
    /// Bytes; nil for none.
    public var quota: UInt64?
    /// Contents that are open in this process.
    public var open = 0
    /// Contents that this process evicted to make room.
    public var evictions = 0
    /// Blocks that this process could not store.
    public var failures = 0
    /// Contents that this process read again in the background, and their bytes.
    public var scrubbed = 0
    public var scrubbedBytes: UInt64 = 0
    /// Contents that this process found damaged, whole or in part, and removed what was wrong of.
    public var damaged = 0
}

extension BlockCache {
    /// Looks through the whole cache: some microseconds for each content. Blocks.
    public func statistics() -> CacheStatistics {
        var statistics = CacheStatistics()
        statistics.quota = options.quota
        for object in core.storedObjects() {
            statistics.bytes += object.bytes
            switch object.kind {
            case .durable: statistics.objects += 1
            case .fresh:
                statistics.objects += 1
                statistics.fresh += 1
            case .partial:
                statistics.partial += 1
                if core.isSuspect(object) { statistics.suspect += 1 }
            }
        }
        for index in core.indexFiles() {
            statistics.indexFiles += 1
            statistics.indexBytes += DiskBytes.of(index.status)
        }
        statistics.open = core.openObjects.count
        statistics.evictions = core.evictions.load(ordering: .relaxed)
        statistics.failures = core.log.count.load(ordering: .relaxed)
        statistics.scrubbed = core.scrubbed.load(ordering: .relaxed)
        statistics.scrubbedBytes = core.scrubbedBytes.load(ordering: .relaxed)
        statistics.damaged = core.damaged.load(ordering: .relaxed)
        return statistics
    }
}

extension CacheCore {
    /// The regular files in `index`.
    func indexFiles() -> [(path: String, status: stat)] { files(in: folder.index) }

    /// The regular files in `profile`.
    func profileFiles() -> [(path: String, status: stat)] { files(in: folder.profile) }

    private func files(in folder: String) -> [(path: String, status: stat)] {
        entries(of: folder).compactMap { name in
            let path = "\(folder)/\(name)"
            var status = stat()
            return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? (path, status) : nil
        }
    }

    /// Whether some blocks of a partial content have to be verified before use.
    func isSuspect(_ object: StoredObject) -> Bool {
        guard let path = object.mapPath, let map = BlockMap(opening: path), let header = map.header() else {
            return true
        }
        return header.boot != boot || map.states(of: 0..<map.layout.count)?.contains(.suspect) ?? true
    }
}
