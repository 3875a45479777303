internal import BlockCodec
internal import CLinux
internal import Glibc
internal import Support

/// Opens a partial content: the data file and its map, made or mended as need be. Blocks.
struct PartialFile {
    let name: ObjectName
    let layout: BlockLayout
    let blocks: any BlockList
    let core: CacheCore

    private enum Attempt {
        case done(Backing)
        case none
        case failed(Errno)
        /// The files went away meanwhile: evicted, or completed by another process.
        case again
    }

    /// Nil if there is none, or it cannot be made.
    func open(create: Bool) -> Backing? {
        var madeRoom = false
        for _ in 0..<4 {
            switch attempt(create: create) {
            case .done(let backing): return backing
            case .none: return nil
            case .again: continue
            case .failed(let error):
                guard !madeRoom, core.mayRetry(after: error, bytes: DiskBytes.rounded(1)) else {
                    core.cannotStore(error)
                    return nil
                }
                madeRoom = true
            }
        }
        return nil
    }

    private func attempt(create: Bool) -> Attempt {
        let (path, mapPath) = (core.folder.partial(name), core.folder.map(name))
        do throws(Errno) {
            if create { try CacheFolder.makeFolder("\(core.folder.partial)/\(name.shard)", parents: false) }
            let data = try CachedObject.openQuietly(path, O_RDWR | (create ? O_CREAT : 0))
            guard let status = CachedObject.lockShared(data.number) else { return .again }
            guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == core.owner else {
                core.remove(path)
                return .again
            }
            let map = BlockMap(try CachedObject.openQuietly(mapPath, O_RDWR | O_CREAT), layout: layout)
            let number = data.number
            let outcome = map.withLock { () -> Result<Bool, Errno> in
                guard isSame(number, path), isSame(map.descriptor.number, mapPath) else { return .success(false) }
                // Again: another process may have begun it before the map was locked.
                var status = stat()
                do throws(Errno) {
                    _ = try systemCall { fstat(number, &status) }
                    try settle(number, status, map)
                    return .success(true)
                } catch {
                    // A pair that was just begun is worth nothing.
                    if status.st_size == 0 {
                        core.remove(path)
                        core.remove(mapPath)
                    }
                    return .failure(error)
                }
            }
            guard try outcome.get() else { return .again }
            CachedObject.noteUse(number, status)
            let backing = Backing(data: data, map: map, layout: layout, holes: layout.holes(in: blocks))
            _ = backing.refresh(0..<layout.count)
            return .done(backing)
        } catch {
            return create && error != .again ? .failed(error) : .none
        }
    }

    /// Makes the map say what is true: under the map's lock.
    private func settle(_ data: Int32, _ status: stat, _ map: BlockMap) throws(Errno) {
        let digestLength = ContentID.digestLength(of: blocks)
        let wanted = BlockMap.Header(layout: layout, digestLength: digestLength, boot: core.boot)
        let length = BlockMap.length(layout, digestLength)
        var mapStatus = stat()
        let mapNumber = map.descriptor.number
        _ = try systemCall { fstat(mapNumber, &mapStatus) }
        if let header = map.header(), header.layout == layout, header.digestLength == digestLength,
            mapStatus.st_size == length, status.st_size == Int(layout.size),
            let states = map.states(of: 0..<layout.count)
        {
            guard header.boot != core.boot else {
                // Another flist may have blocks where this one has holes, in doubt since before.
                return try punchHoles(data) { states[$0] == .suspect }
            }
            try punchHoles(data)
            let doubted = states.map { ($0 == .absent ? BlockState.absent : .suspect).rawValue }
            // Holes come from the flist, not from the disk: a backing has them present whatever the map says.
            try map.write(doubted, at: BlockMap.headerLength)
            try map.write(wanted.encoded, at: 0)
            return
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        let states = try status.st_size == 0 ? Array(repeating: .absent, count: layout.count) : doubtful(data)
        bytes += states.map(\.rawValue)
        for index in 0..<layout.count {
            let key = blocks[index]?.key ?? ZeroKeys.key(of: layout.length(of: index), digestLength)
            guard key.count == digestLength.rawValue else { throw .invalid }
            bytes += key.bytes
        }
        let had = DiskBytes.of(mapStatus)
        let charge = DiskBytes.rounded(UInt64(length))
        guard charge <= had || core.ledger.spend(charge - had) else { throw .again }
        defer { if charge > had { core.ledger.landed(charge - had) } }
        _ = try systemCall { ftruncate(data, Int(layout.size)) }
        _ = try systemCall { ftruncate(mapNumber, length) }
        if status.st_size > 0 { try punchHoles(data) }
        // The header last: without it the rest is not believed.
        try map.write(bytes, at: BlockMap.headerLength)
        try map.write(wanted.encoded, at: 0)
    }

    /// A data file without a map that can be believed: whatever has bytes is suspect.
    private func doubtful(_ data: Int32) throws(Errno) -> [BlockState] {
        var states = Array(repeating: BlockState.absent, count: layout.count)
        var position = 0
        let size = Int(layout.size)
        while position < size {
            let begin = lseek(data, position, linux_seek_data)
            guard begin >= 0, begin < size else { break }
            let end = min(size, max(begin + 1, lseek(data, begin, linux_seek_hole)))
            for block in begin / layout.blockSize..<(end - 1) / layout.blockSize + 1 { states[block] = .suspect }
            position = end
        }
        return states
    }

    /// Holes are never verified, so after doubt they are made anew: those with a block that is asked about.
    private func punchHoles(_ data: Int32, where isDoubtful: (Int) -> Bool = { _ in true }) throws(Errno) {
        for run in layout.holes(in: blocks) where run.contains(where: isDoubtful) {
            let begin = layout.offset(of: run.lowerBound)
            let end = layout.offset(of: run.upperBound - 1) + UInt64(layout.length(of: run.upperBound - 1))
            _ = try systemCall { linux_punch_hole(data, Int(begin), Int(end - begin)) }
        }
    }
}
