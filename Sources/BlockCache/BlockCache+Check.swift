internal import BlockCodec
internal import CLinux
internal import Glibc
public import Support

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
            if object.kind == .partial {
                core.checkPartial(object, repair: repair, &check)
            } else {
                core.checkComplete(object, repair: repair, &check)
            }
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
    /// A complete content says by its bytes what its name must be.
    func checkComplete(_ object: StoredObject, repair: Bool, _ check: inout CacheCheck) {
        guard let file = try? CachedObject.openQuietly(object.path, O_RDONLY),
            let status = CachedObject.lockShared(file.number)
        else { return }
        check.objects += 1
        let layout = BlockLayout(size: UInt64(max(0, status.st_size)), blockSize: object.name.blockSize)
        // The name does not say how long the keys are: 32 bytes but for the oldest format.
        let isGood = [BLAKE2b.Length.bytes32, .bytes16].contains { digestLength in
            content(of: file, layout, digestLength, &check.bytes) == object.name.content
        }
        guard !isGood else { return }
        check.damaged.append(object.name.content)
        guard repair else { return }
        remove(object.path)
        openObject(object.name.content)?.forget()
    }

    /// The name that a file's bytes have; nil if they cannot all be read.
    private func content(
        of file: borrowing FileDescriptor, _ layout: BlockLayout, _ digestLength: BLAKE2b.Length, _ bytes: inout UInt64
    ) -> Digest? {
        guard layout.isValid else { return nil }
        var hash = ContentHash(size: layout.size, blockSize: layout.blockSize)
        let buffer = BlockBufferPool.shared.buffer(capacity: layout.blockSize)
        for block in 0..<layout.count {
            let plain = UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<layout.length(of: block)])
            guard (try? file.read(into: plain, at: layout.offset(of: block))) == plain.count else { return nil }
            hash.add(BLAKE2b.hash(UnsafeRawBufferPointer(plain), digestLength))
            bytes += UInt64(plain.count)
        }
        return hash.finalize()
    }

    /// A partial content has its keys beside it, and they must give its name.
    func checkPartial(_ object: StoredObject, repair: Bool, _ check: inout CacheCheck) {
        guard let mapPath = object.mapPath,
            let file = try? CachedObject.openQuietly(object.path, O_RDONLY),
            CachedObject.lockShared(file.number) != nil
        else { return }
        check.objects += 1
        guard let map = BlockMap(opening: mapPath), let header = map.header(),
            let keys = map.keys(header.digestLength), keys.count == map.layout.count,
            let states = map.states(of: 0..<map.layout.count), Self.content(map.layout, keys) == object.name.content
        else {
            // Without a map all its blocks are suspect, so nothing wrong is ever read: no loss but time.
            check.damaged.append(object.name.content)
            if repair {
                remove(mapPath)
                openObject(object.name.content)?.reopen()
            }
            return
        }
        var damaged = 0
        let buffer = BlockBufferPool.shared.buffer(capacity: map.layout.blockSize)
        for block in 0..<map.layout.count where states[block] != .absent {
            let plain = UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<map.layout.length(of: block)])
            let isRead = (try? file.read(into: plain, at: map.layout.offset(of: block))) == plain.count
            check.bytes += UInt64(plain.count)
            let isGood = isRead && BLAKE2b.hash(UnsafeRawBufferPointer(plain), header.digestLength) == keys[block]
            if repair, !isGood || (states[block] == .suspect && header.boot == boot) {
                try? map.set(block, isGood ? .present : .absent)
            }
            if !isGood { damaged += 1 }
        }
        guard damaged > 0 else { return }
        check.damaged.append(object.name.content)
        check.damagedBlocks += damaged
        guard repair else { return }
        openObject(object.name.content)?.reopen()
    }

    private static func content(_ layout: BlockLayout, _ keys: [Digest]) -> Digest {
        var hash = ContentHash(size: layout.size, blockSize: layout.blockSize)
        for key in keys { hash.add(key) }
        return hash.finalize()
    }
}
