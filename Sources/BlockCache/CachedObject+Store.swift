internal import BlockCodec
internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

extension CachedObject {
    /// Stores the verified plain bytes of one block. Blocks on the disk, and on eviction where room must be made.
    ///
    /// False if they were not stored: the disk is full, failing or read-only, the quota is used up by what is open,
    /// or the number of bytes is not the block's. That is logged once a minute; the object goes on with what it holds.
    public func store(_ bytes: UnsafeRawBufferPointer, block: Int) -> Bool {
        guard block >= 0, block < layout.count, bytes.count == layout.length(of: block), !core.isClosed else {
            return false
        }
        let found = backing
        if found.isComplete.load(ordering: .acquiring) || found.bits.isPresent(block) { return true }
        if found.map != nil { return write(bytes, block, to: found) }
        if layout.count == 1 { return storeWhole(bytes) }
        guard let partial = makePartial() else { return false }
        if partial.isComplete.load(ordering: .acquiring) { return true }
        if partial.refresh(block..<block + 1) { complete(partial) }
        if partial.bits.isPresent(block) { return true }
        return write(bytes, block, to: partial)
    }

    /// Reads a suspect block back and compares its hash with its key: then it is present or absent. Blocks.
    ///
    /// Answers whether it is present.
    public func verify(block: Int) -> Bool {
        guard block >= 0, block < layout.count else { return false }
        let found = backing
        if found.isComplete.load(ordering: .acquiring) || found.bits.isPresent(block) { return true }
        guard found.data >= 0, let map = found.map,
            let key = blocks[block]?.key,
            let digestLength = BLAKE2b.Length(rawValue: key.count)
        else { return false }
        let length = layout.length(of: block)
        let buffer = BlockBufferPool.shared.buffer(capacity: length)
        let plain = UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<length])
        let isGood =
            (try? core.read(found.data, into: plain, at: layout.offset(of: block))) == length
            && BLAKE2b.hash(UnsafeRawBufferPointer(plain), digestLength) == key
        // A map that cannot be written leaves the block suspect for others, which is no harm.
        try? map.set(block, isGood ? .present : .absent)
        if !isGood {
            ZeroBlock.mend(found.data, at: layout.offset(of: block), length, key, digestLength)
            found.bits.clearSuspect(block)
            return found.bits.isPresent(block)
        }
        if found.markPresent(block) { complete(found) }
        return true
    }

    /// Writes a block into a partial file, then its byte in the map.
    private func write(_ bytes: UnsafeRawBufferPointer, _ block: Int, to backing: Backing) -> Bool {
        guard let map = backing.map else { return false }
        // One page more where blocks do not begin on pages.
        let charge = DiskBytes.rounded(UInt64(bytes.count)) + (layout.blockSize % 4096 == 0 ? 0 : 4096)
        guard core.ledger.spend(charge) else { return false }
        defer { core.ledger.landed(charge) }
        var isSecond = false
        while true {
            do throws(Errno) {
                try core.write(bytes, to: backing.data, at: layout.offset(of: block))
                try map.set(block, .present)
                break
            } catch {
                if !isSecond, core.mayRetry(after: error, bytes: charge) {
                    isSecond = true
                    continue
                }
                core.cannotStore(error)
                return false
            }
        }
        if backing.markPresent(block) { complete(backing) }
        return true
    }

    /// Stores a content of one block: a file of the process's own folder, which then gets its name.
    private func storeWhole(_ bytes: UnsafeRawBufferPointer) -> Bool {
        slow.withLock { slow in
            if isComplete { return true }
            guard !slow.isHopeless else { return false }
            let charge = DiskBytes.rounded(UInt64(bytes.count))
            guard core.ledger.spend(charge) else { return false }
            var outcome = makeWhole(bytes)
            if case .failure(let error) = outcome, core.mayRetry(after: error, bytes: charge) {
                outcome = makeWhole(bytes)
            }
            switch outcome {
            case .success(let made):
                core.ledger.landed(charge)
                replace(made, &slow)
                core.durability.add(name)
                return true
            case .failure(let error):
                core.ledger.refund(charge)
                if error == .exists, let other = Self.fresh(name, layout, core) {
                    replace(other, &slow)
                    return true
                }
                core.cannotStore(error)
                return false
            }
        }
    }

    /// Leaves nothing on disk when it fails.
    private func makeWhole(_ bytes: UnsafeRawBufferPointer) -> Result<Backing, Errno> {
        guard let temporary = core.workspace.temporaryPath() else { return .failure(.readOnly) }
        do throws(Errno) {
            let file = try FileDescriptor(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o400)
            // Before it has a name that others evict.
            _ = flock(file.number, LOCK_SH | LOCK_NB)
            try file.write(bytes, at: 0)
            try CacheFolder.move(temporary, to: core.folder.fresh(name))
            return .success(Backing(complete: file, isFresh: true))
        } catch {
            unlink(temporary)
            return .failure(error)
        }
    }

    /// The partial file, made now if need be; nil where that fails.
    private func makePartial() -> Backing? {
        slow.withLock { slow in
            let found = backing
            if found.map != nil || found.isComplete.load(ordering: .acquiring) { return found }
            guard !slow.isHopeless else { return nil }
            // Another process may have come so far in the meantime.
            let made =
                Self.fresh(name, layout, core)
                ?? Self.complete(core.folder.object(name), layout, core)
                ?? PartialFile(name: name, layout: layout, blocks: blocks, core: core).open(create: true)
            guard let made else { return nil }
            replace(made, &slow)
            return made
        }
    }

    /// Gives a partial file whose blocks are all present the name of a complete one.
    ///
    /// The map decides: a check, of this process or another, may have found a block bad since it was seen present. Then
    /// the object goes on with what the map says.
    func complete(_ backing: Backing) {
        slow.withLock { slow in
            guard let map = backing.map, !backing.isComplete.load(ordering: .acquiring) else { return }
            let isWhole = map.withLock { () -> Bool in
                // Someone else may have done it, or removed the file: then the name is not ours to move.
                guard isSame(backing.data, core.folder.partial(name)),
                    isSame(map.descriptor.number, core.folder.map(name))
                else { return true }
                guard map.hasAll(of: blocks) else { return false }
                giveName(to: backing, map, &slow)
                return true
            }
            if isWhole {
                backing.isComplete.store(true, ordering: .releasing)
            } else {
                replace(Self.existing(name, layout, blocks, core), &slow)
            }
        }
    }

    /// Renames the partial file and removes its map. Under the map's lock.
    private func giveName(to backing: Backing, _ map: BlockMap, _ slow: inout Slow) {
        let partial = core.folder.partial(name)
        do throws(Errno) {
            let data = backing.data
            _ = try systemCall { fchmod(data, 0o400) }
            do throws(Errno) {
                try CacheFolder.move(partial, to: core.folder.fresh(name))
            } catch .exists {
                core.remove(partial)
            }
            slow.unlinked += core.ledger.unlinking {
                var status = stat()
                let number = map.descriptor.number
                return fstat(number, &status) == 0 && unlink(core.folder.map(name)) == 0 ? DiskBytes.of(status) : 0
            }
            core.durability.add(name)
        } catch {
            // It stays a partial file with all blocks present, and is completed when it is next opened.
            core.cannotStore(error)
        }
    }

    /// Forgets and removes what is stored: it is damaged, or the disk cannot be read.
    func discard(because reason: String) {
        core.damaged.add(1, ordering: .relaxed)
        core.log.note("cached content \(name) is damaged (\(reason)); removed, it will be fetched again")
        for path in [core.folder.object(name), core.folder.fresh(name), core.folder.partial(name)] {
            core.remove(path)
        }
        core.remove(core.folder.map(name))
        forget()
    }

    /// Starts again with nothing, since the file was removed.
    func forget() {
        slow.withLock { slow in
            replace(Backing(data: nil, map: nil, layout: layout, holes: layout.holes(in: blocks)), &slow)
        }
    }

    func replace(_ next: Backing, _ slow: inout sending Slow) {
        let old = current.exchange(Unmanaged.passRetained(next), ordering: .acquiringAndReleasing)
        slow.retired.append(old.takeRetainedValue())
    }
}
