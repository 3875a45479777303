internal import BlockCodec
internal import CLinux
internal import Glibc
public import Support
internal import Synchronization

/// What a check of a cache found.
public struct CacheCheck: Sendable, Hashable {
    /// Contents looked at, whole and partial.
    public var objects = 0
    /// Bytes read and hashed.
    public var bytes: UInt64 = 0
    /// Contents with bytes that are not what they should be.
    public var damaged: [Digest] = []
    /// Blocks of partial contents that are not what they should be.
    public var damagedBlocks = 0
    /// Whether it was ended before all was looked at.
    public var isCancelled = false
}

extension BlockCache {
    /// Reads everything and compares it with its hashes: about 1 GB/s from a fast disk. Blocks.
    ///
    /// With `repair` damaged complete contents are removed and damaged blocks of partial ones marked absent, also for
    /// those who have them open in this process; they are fetched again when they are read. Suspect blocks that are
    /// good are marked present. `progress` is told the bytes so far and all bytes after each content, and ends the
    /// check by answering false.
    public func check(
        repair: Bool = true, progress: (_ done: UInt64, _ all: UInt64) -> Bool = { _, _ in true }
    ) -> CacheCheck {
        var check = CacheCheck()
        let objects = core.storedObjects()
        let all = objects.reduce(0) { $0 + $1.bytes }
        var done: UInt64 = 0
        for object in objects {
            let found = core.check(object, repair: repair, ObjectReading())
            check.objects += found.objects
            check.bytes += found.bytes
            check.damaged += found.damaged
            check.damagedBlocks += found.damagedBlocks
            done += object.bytes
            guard progress(done, all) else {
                check.isCancelled = true
                break
            }
        }
        return check
    }
}

extension CacheCore {
    /// Checks one content. Blocks.
    ///
    /// One that `reading` ends is left as it is, and nothing is said of it.
    func check(_ object: StoredObject, repair: Bool, _ reading: ObjectReading) -> CacheCheck {
        let size = max(ObjectFile.unit, object.name.blockSize)
        guard size <= BlockLayout.maximumBlockSize else { return CacheCheck() }
        let buffer = BlockBufferPool.shared.buffer(capacity: size)
        let check =
            object.kind == .partial
            ? checkPartial(object, repair, reading, buffer.memory)
            : checkComplete(object, repair, reading, buffer.memory)
        if repair { damaged.add(check.damaged.count, ordering: .relaxed) }
        return check
    }

    /// A complete content says by its bytes what its name must be.
    private func checkComplete(
        _ object: StoredObject, _ repair: Bool, _ reading: ObjectReading, _ memory: UnsafeMutableRawBufferPointer
    ) -> CacheCheck {
        var check = CacheCheck()
        guard let file = reading.open(object.path, object.name.blockSize) else { return check }
        let layout = BlockLayout(size: UInt64(max(0, file.status.st_size)), blockSize: object.name.blockSize)
        // The name does not say how long the keys are: 32 bytes but for the oldest format.
        var isGood = false
        for digestLength in [BLAKE2b.Length.bytes32, .bytes16] where !isGood && layout.isValid {
            var hash = ContentHash(size: layout.size, blockSize: layout.blockSize)
            var isRead = true
            for block in 0..<layout.count where isRead {
                let length = layout.length(of: block)
                guard reading.mayRead(length) else { return CacheCheck() }
                isRead = file.read(length, at: layout.offset(of: block), into: memory)
                guard isRead else { continue }
                hash.add(BLAKE2b.hash(UnsafeRawBufferPointer(rebasing: memory[..<length]), digestLength))
                check.bytes += UInt64(length)
            }
            isGood = isRead && hash.finalize() == object.name.content
        }
        check.objects = 1
        guard !isGood else { return check }
        check.damaged.append(object.name.content)
        guard repair else { return check }
        remove(object.path)
        openObject(object.name.content)?.forget()
        return check
    }

    /// A partial content has its keys beside it, and they must give its name.
    private func checkPartial(
        _ object: StoredObject, _ repair: Bool, _ reading: ObjectReading, _ memory: UnsafeMutableRawBufferPointer
    ) -> CacheCheck {
        var check = CacheCheck()
        guard let mapPath = object.mapPath, let file = reading.open(object.path, object.name.blockSize) else {
            return check
        }
        check.objects = 1
        guard let map = BlockMap(opening: mapPath), let header = map.header(),
            map.layout.blockSize == object.name.blockSize,
            let keys = map.keys(header.digestLength), keys.count == map.layout.count,
            let states = map.states(of: 0..<map.layout.count), Self.content(map.layout, keys) == object.name.content
        else {
            // Only begun: killed, or seen, between its data file and its map. Or completed, so that the map is gone.
            guard file.status.st_blocks > 0, isSame(file.descriptor.number, object.path) else { return check }
            // Without a map all its blocks are suspect, so nothing wrong is ever read: no loss but time.
            check.damaged.append(object.name.content)
            if repair {
                remove(mapPath)
                openObject(object.name.content)?.reopen()
            }
            return check
        }
        for block in 0..<map.layout.count where states[block] != .absent {
            let length = map.layout.length(of: block)
            guard reading.mayRead(length) else { break }
            let isRead = file.read(length, at: map.layout.offset(of: block), into: memory)
            check.bytes += UInt64(length)
            let plain = UnsafeRawBufferPointer(rebasing: memory[..<length])
            let isGood = isRead && BLAKE2b.hash(plain, header.digestLength) == keys[block]
            let isSuspect = states[block] == .suspect || check.damagedBlocks > 0
            if repair, !isGood || (isSuspect && header.boot == boot) {
                try? map.set(block, isGood ? .present : .absent)
            }
            if !isGood { check.damagedBlocks += 1 }
            if repair, !isGood, let data = try? CachedObject.openQuietly(object.path, O_RDWR),
                isSame(file.descriptor.number, object.path)
            {
                ZeroBlock.mend(
                    data.number, at: map.layout.offset(of: block), length, keys[block], header.digestLength)
            }
            if repair, check.damagedBlocks == 1, !isGood {
                // Who has it open must not go on with what is in memory; and where one is bad, others may be.
                for later in block + 1..<states.count where states[later] == .present {
                    try? map.set(later, .suspect)
                }
                openObject(object.name.content)?.reopen()
            }
        }
        if check.damagedBlocks > 0 { check.damaged.append(object.name.content) }
        return check
    }

    private static func content(_ layout: BlockLayout, _ keys: [Digest]) -> Digest {
        var hash = ContentHash(size: layout.size, blockSize: layout.blockSize)
        for key in keys { hash.add(key) }
        return hash.finalize()
    }
}
