internal import CLinux
internal import Glibc
internal import Support

/// What was removed from a cache.
public struct CacheCollection: Sendable, Hashable {
    /// Contents, whole and partial.
    public var objects = 0
    public var indexFiles = 0
    /// Files and folders that ended processes left behind.
    public var leftovers = 0
    /// Bytes on disk of all of these, without the leftovers.
    public var bytes: UInt64 = 0
}

extension BlockCache {
    /// Removes what was not used for the maximum age, what dead processes left, and what is beyond the quota. Blocks.
    ///
    /// Open contents stay, but for those that only a holder keeps and nobody has used since the last call. Call about
    /// once a day.
    @discardableResult
    public func collect() -> CacheCollection {
        collect(.current(core.boot))
    }

    @discardableResult
    func collect(_ clock: ClockReading) -> CacheCollection {
        core.letGo(.idle)
        core.noteClock(clock)
        let age = options.maximumAge.components.seconds
        let oldest = Int(clamping: Int64(clock.wall).subtractingReportingOverflow(age).partialValue)
        let isOld: (stat) -> Bool = { max($0.st_atim.tv_sec, $0.st_mtim.tv_sec) < oldest }
        var collection = core.sweep(objects: { $0.lastUse.tv_sec < oldest }, indexFiles: isOld)
        for profile in core.profileFiles() where isOld(profile.status) && unlink(profile.path) == 0 {
            collection.bytes += DiskBytes.of(profile.status)
        }
        let before = core.storedObjects()
        if core.makeRoomAskingHolders(for: 0) {
            let after = core.storedObjects()
            collection.objects += max(0, before.count - after.count)
            let (old, new) = (before.reduce(0) { $0 + $1.bytes }, after.reduce(0) { $0 + $1.bytes })
            collection.bytes += old - min(old, new)
        }
        return collection
    }

    /// Removes everything that is not open, contents and tree indexes, but not profiles. Blocks.
    @discardableResult
    public func clear() -> CacheCollection { core.sweep(objects: { _ in true }, indexFiles: { _ in true }) }
}

extension CacheCore {
    /// Removes what the closures choose and is not open, then counts what is left.
    func sweep(objects isChosen: (StoredObject) -> Bool, indexFiles isOld: (stat) -> Bool) -> CacheCollection {
        folder.withLock {
            var collection = CacheCollection()
            collection.leftovers = Workspace.survey(folder).removed
            for object in storedObjects() where isChosen(object) && evict(object) {
                collection.objects += 1
                collection.bytes += object.bytes
            }
            for index in indexFiles() where isOld(index.status) && unlink(index.path) == 0 {
                collection.indexFiles += 1
                collection.bytes += DiskBytes.of(index.status)
            }
            collection.leftovers += removeOrphans()
            ledger.recount { storedObjects().reduce(0) { $0 + $1.bytes } }
            return collection
        }
    }

    /// Removes maps whose data is gone, and files of no name that the cache gives. Under the cache's lock.
    private func removeOrphans() -> Int {
        var removed = 0
        for shard in CacheFolder.shards(of: folder.partial) {
            for entry in entries(of: shard) where entry.hasSuffix(CacheFolder.mapSuffix) {
                let path = "\(shard)/\(entry)"
                guard access(String(path.dropLast(CacheFolder.mapSuffix.count)), F_OK) != 0,
                    let map = try? CachedObject.openQuietly(path, O_RDONLY), flock(map.number, LOCK_EX | LOCK_NB) == 0
                else { continue }
                if unlink(path) == 0 { removed += 1 }
            }
        }
        let folders = CacheFolder.shards(of: folder.objects) + [folder.fresh] + CacheFolder.shards(of: folder.partial)
        for path in folders {
            for entry in entries(of: path)
            where ObjectName(parsing: entry) == nil && !entry.hasSuffix(CacheFolder.mapSuffix) {
                if unlink("\(path)/\(entry)") == 0 { removed += 1 }
            }
        }
        return removed
    }
}
