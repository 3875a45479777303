internal import BlockCodec
internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

extension CachedObject {
    /// What the disk has of a content now.
    static func existing(
        _ name: ObjectName, _ layout: BlockLayout, _ blocks: any BlockList, _ core: CacheCore
    ) -> Backing {
        if layout.count > 0 {
            // Where nearly all are first, then in the order in which files move. What moves on to the objects between
            // the first look and the last is taken for absent: it is fetched once more, and one of the two is kept.
            let found =
                complete(core.folder.object(name), layout, core)
                ?? PartialFile(name: name, layout: layout, blocks: blocks, core: core).open(create: false)
                ?? fresh(name, layout, core)
            if let found { return found }
        }
        return Backing(data: nil, map: nil, layout: layout, holes: layout.holes(in: blocks))
    }

    /// Opens a complete file that is not yet known to be on disk; nil if there is none that can be trusted.
    static func fresh(_ name: ObjectName, _ layout: BlockLayout, _ core: CacheCore) -> Backing? {
        guard core.isFreshTrusted.load(ordering: .acquiring) else { return nil }
        return complete(core.folder.fresh(name), layout, core, isFresh: true)
    }

    /// Opens a complete file and notes its use; nil if there is none. One that cannot be right is removed.
    static func complete(
        _ path: String, _ layout: BlockLayout, _ core: CacheCore, isFresh: Bool = false
    ) -> Backing? {
        guard let file = try? openQuietly(path, O_RDONLY) else { return nil }
        guard let status = lockShared(file.number) else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == core.owner, status.st_size == Int(layout.size) else {
            core.log.note("removed \(path): it is not a file of \(layout.size) bytes of ours")
            core.remove(path)
            return nil
        }
        noteUse(file.number, status)
        return Backing(complete: file, isFresh: isFresh)
    }

    /// Opens without following a link and without changing the time of use, which is ours to set.
    static func openQuietly(_ path: String, _ flags: Int32) throws(Errno) -> FileDescriptor {
        do throws(Errno) {
            return try FileDescriptor(path, flags | O_NOFOLLOW | linux_o_noatime, mode: 0o600)
        } catch .notPermitted {
            // Only a file's owner may leave its time alone.
            return try FileDescriptor(path, flags | O_NOFOLLOW, mode: 0o600)
        }
    }

    /// Takes the lock that eviction respects; nil if the file is being evicted or was.
    static func lockShared(_ descriptor: Int32) -> stat? {
        var status = stat()
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0, fstat(descriptor, &status) == 0, status.st_nlink > 0 else {
            return nil
        }
        return status
    }

    /// Sets the time of use, once a minute at most.
    static func noteUse(_ descriptor: Int32, _ status: stat) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        guard now.tv_sec - status.st_atim.tv_sec >= 60 || now.tv_sec < status.st_atim.tv_sec else { return }
        let times = [now, timespec(tv_sec: 0, tv_nsec: utimeOmit)]
        _ = times.withUnsafeBufferPointer { futimens(descriptor, $0.baseAddress) }
    }
}

/// UTIME_OMIT, a macro that Swift does not import (utimensat(2)): leaves that time as it is.
let utimeOmit = 0x3fff_fffe

/// Whether an open file is what a path names.
func isSame(_ descriptor: Int32, _ path: String) -> Bool {
    var (open, named) = (stat(), stat())
    return fstat(descriptor, &open) == 0 && lstat(path, &named) == 0 && open.st_dev == named.st_dev
        && open.st_ino == named.st_ino
}

extension CachedObject {
    /// Looks again at what the disk has, and trusts only that.
    func reopen() {
        slow.withLock { slow in replace(Self.existing(name, layout, blocks, core), &slow) }
        let found = backing
        if found.missing.load(ordering: .acquiring) == 0 { complete(found) }
    }
}
