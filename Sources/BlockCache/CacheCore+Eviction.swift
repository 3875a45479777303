internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// One content on disk, as a look through the folders finds it.
struct StoredObject {
    enum Kind { case durable, fresh, partial }

    let name: ObjectName
    let kind: Kind
    let path: String
    /// The map's path, for a partial one.
    let mapPath: String?
    /// On disk, with the map.
    let bytes: UInt64
    let lastUse: timespec
}

extension CacheCore {
    /// Every content on disk, in no order. Takes some microseconds for each; blocks.
    func storedObjects() -> [StoredObject] {
        // In the order in which files move on, so that none is missed; one that is seen twice counts where it came to.
        var found: [StoredObject] = []
        for shard in CacheFolder.shards(of: folder.partial) { collect(shard, .partial, into: &found) }
        collect(folder.fresh, .fresh, into: &found)
        let moving = Dictionary(
            found.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { max($0, $1) })
        if moving.count < found.count {
            found = found.enumerated().filter { moving[$0.element.name] == $0.offset }.map(\.element)
        }
        let before = found.count
        for shard in CacheFolder.shards(of: folder.objects) { collect(shard, .durable, into: &found) }
        if before > 0 {
            let arrived = Set(found[before...].lazy.map(\.name).filter { moving[$0] != nil })
            if !arrived.isEmpty { found.removeAll { $0.kind != .durable && arrived.contains($0.name) } }
        }
        return found
    }

    /// The contents in one of the 256 sub-folders that are not on their way: partial, or complete and on disk.
    func settledObjects(inShard shard: Int) -> [StoredObject] {
        var found: [StoredObject] = []
        collect(CacheFolder.shards(of: folder.objects)[shard], .durable, into: &found)
        collect(CacheFolder.shards(of: folder.partial)[shard], .partial, into: &found)
        return found
    }

    private func collect(_ path: String, _ kind: StoredObject.Kind, into found: inout [StoredObject]) {
        for entry in entries(of: path) {
            guard let name = ObjectName(parsing: entry) else { continue }
            let file = "\(path)/\(entry)"
            var status = stat()
            guard lstat(file, &status) == 0 else { continue }
            let (lastUse, bytes) = (status.st_atim, DiskBytes.of(status))
            let map = kind == .partial ? file + CacheFolder.mapSuffix : nil
            let mapBytes = map.flatMap { lstat($0, &status) == 0 ? DiskBytes.of(status) : nil } ?? 0
            found.append(
                StoredObject(
                    name: name, kind: kind, path: file, mapPath: map, bytes: bytes + mapBytes, lastUse: lastUse))
        }
    }

    /// Makes room, and where all that could go is open has holders let go of what they keep: the colder half first.
    func makeRoomAskingHolders(for bytes: UInt64, isDiskFull: Bool = false) -> Bool {
        if makeRoom(for: bytes, isDiskFull: isDiskFull) { return true }
        for choice in [HeldContents.colderHalf, .all] {
            guard letGo(choice) else { return false }
            if makeRoom(for: bytes, isDiskFull: isDiskFull) { return true }
        }
        return false
    }

    /// Answers whether there is anyone who may have let go of something.
    @discardableResult
    func letGo(_ choice: HeldContents) -> Bool {
        // Called outside the lock: what they let go of is closed there.
        let holders = holders.withLock { $0.all }
        for holder in holders { holder.letGo(choice) }
        return !holders.isEmpty
    }

    /// Evicts what was not used for longest, so that `bytes` more have room; false if that cannot be had.
    ///
    /// With `isDiskFull` something is evicted in any case: the disk may be out of inodes, or its own quota used up.
    func makeRoom(for bytes: UInt64, isDiskFull: Bool = false) -> Bool {
        folder.withLock {
            // The ledger drifts upwards when processes are killed: the count may show that there is room.
            var objects: [StoredObject] = []
            var used: UInt64 = 0
            ledger.recount {
                objects = storedObjects()
                used = objects.reduce(0) { $0 + $1.bytes }
                return used
            }
            let total = ledger.used ?? used
            let reserved = total - min(total, used)
            var isTooMuch = false
            var target = UInt64.max
            if let quota = ledger.quota, reserved + used + bytes > quota {
                guard bytes <= quota else { return false }
                isTooMuch = true
                // A tenth at once, so that the look through the cache is paid for.
                let room = max(bytes, quota / 10)
                target = quota - min(quota, room + reserved)
            }
            let allowance = ledger.allowance()
            if allowance < max(bytes, 1) {
                isTooMuch = true
                let lacking = max(bytes, ledger.chunk) - allowance
                target = min(target, used - min(used, lacking))
            }
            if isDiskFull {
                isTooMuch = true
                target = min(target, used - min(used, max(bytes, used / 10)))
            }
            guard isTooMuch else { return true }
            var freed: UInt64 = 0
            for object in objects.sorted(by: { $0.lastUse < $1.lastUse }) {
                if used <= target { break }
                guard evict(object) else { continue }
                used -= object.bytes
                freed += object.bytes
                evictions.add(1, ordering: .relaxed)
            }
            return freed > 0
        }
    }

    /// Removes a content unless someone has it open; answers whether. Call under the cache's lock.
    func evict(_ object: StoredObject) -> Bool {
        guard Self.unlinkUnlessOpen(object.path) else { return false }
        if let map = object.mapPath { unlink(map) }
        // Only now, with the file closed, are its bytes free.
        ledger.removing { object.bytes }
        return true
    }

    private static func unlinkUnlessOpen(_ path: String) -> Bool {
        guard let file = try? CachedObject.openQuietly(path, O_RDONLY) else { return false }
        return flock(file.number, LOCK_EX | LOCK_NB) == 0 && isSame(file.number, path) && unlink(path) == 0
    }
}

private func < (a: timespec, b: timespec) -> Bool {
    (a.tv_sec, a.tv_nsec) < (b.tv_sec, b.tv_nsec)
}
