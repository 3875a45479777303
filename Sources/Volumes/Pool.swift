internal import CBtrfs
internal import CLinux
internal import Glibc
internal import Logging
internal import Support
internal import Synchronization

/// An open folder on a btrfs in which each volume is a subvolume.
///
/// Thread-safe, but for one name: its calls must not overlap.
final class Pool: Sendable {
    let path: String
    let folder: FileDescriptor
    let quota: Quota
    /// What it lies in; nil where the host has a btrfs of its own.
    let image: PoolImage?
    let turns: Turns
    let logger: Logger
    let promises = Promises()
    /// The ids of deleted subvolumes whose quota groups the kernel may still have.
    let doomed = Mutex<Set<UInt64>>([])

    init(path: String, image: PoolImage?, turns: Turns, logger: Logger) throws(Errno) {
        self.path = path
        self.image = image
        self.turns = turns
        self.logger = logger
        folder = try FileDescriptor(path, O_RDONLY | O_DIRECTORY)
        quota = try Quota(of: folder)
    }

    /// False when its mount was taken away, or another lies on top of it.
    var isInPlace: Bool {
        var (open, named) = (stat(), stat())
        return fstat(folder.number, &open) == 0 && stat(path, &named) == 0
            && open.st_dev == named.st_dev && open.st_ino == named.st_ino
    }

    /// An error of the disk below, or a full one, makes a mount read-only for good.
    var isReadOnly: Bool {
        var status = statvfs()
        return fstatvfs(folder.number, &status) == 0 && status.f_flag & UInt(ST_RDONLY) != 0
    }

    func create(_ name: String, limit: UInt64) throws(FlistError) -> Volume {
        reclaimDoomed()
        do throws(Errno) {
            try Subvolume.create(name, in: folder, limit: limit)
        } catch {
            switch error {
            case .exists: throw FlistError(.exists, "cannot create volume \(name): \(path)/\(name) is there already")
            default: throw failure("cannot create volume \(name) in \(path)", error)
            }
        }
        do throws(FlistError) {
            try makeRoom(for: limit)
            guard let volume = try lookup(name) else {
                throw FlistError(.io, "volume \(name) is gone from \(path) as soon as it was created")
            }
            return volume
        } catch {
            try? delete(name)
            throw FlistError(error.code, "cannot create volume \(name): \(error.message)", cause: error.cause)
        }
    }

    func lookup(_ name: String) throws(FlistError) -> Volume? {
        guard let subvolume = try find(name) else { return nil }
        let figures = try figures(of: subvolume, name)
        return Volume(name: name, path: "\(path)/\(name)", limit: figures.limit, used: figures.used)
    }

    func update(_ name: String, limit: UInt64) throws(FlistError) {
        guard let subvolume = try find(name) else {
            throw FlistError(.notFound, "there is no volume \(name) in \(path)")
        }
        var figures = try figures(of: subvolume, name)
        if limit != 0, limit < figures.used {
            // What was deleted counts until the next commit.
            do throws(Errno) {
                try check(btrfs_util_sync_fd(folder.number))
            } catch {
                throw failure("cannot sync \(path)", error)
            }
            figures = try self.figures(of: subvolume, name)
            if limit < figures.used {
                let (wanted, used) = (ByteCount(limit), ByteCount(figures.used))
                throw FlistError(.invalid, "cannot lower \(name) to \(wanted): \(used) are in use")
            }
        }
        try setLimit(of: subvolume, name, limit)
        // Lowering needs no more room, and what it frees is found when something else does.
        if limit != 0, figures.limit != 0, limit <= figures.limit { return }
        do throws(FlistError) {
            try makeRoom(for: limit == 0 || figures.limit == 0 ? limit : limit - figures.limit)
        } catch {
            try? setLimit(of: subvolume, name, figures.limit)
            throw FlistError(
                error.code, "cannot limit \(name) to \(ByteCount(limit)): \(error.message)", cause: error.cause)
        }
    }

    func delete(_ name: String) throws(FlistError) {
        reclaimDoomed()
        guard let subvolume = try find(name) else { return }
        do throws(Errno) {
            try Subvolume.delete(name, in: folder)
            doomed.withLock { _ = $0.insert(subvolume.id) }
            // The cleaner starts at the next commit: let it be soon.
            _ = btrfs_util_start_sync_fd(folder.number, nil)
        } catch {
            if error == .noEntry { return }
            throw failure("cannot delete volume \(path)/\(name)", error)
        }
    }

    func all() throws(FlistError) -> [Volume] {
        guard let directory = opendir(path) else { throw FlistError("cannot read \(path)", errno: .current) }
        defer { closedir(directory) }
        var volumes: [Volume] = []
        for name in directoryNames(directory) {
            do throws(Errno) {
                guard let subvolume = try Subvolume(name, in: folder) else { continue }
                let figures = try quota.figures(of: subvolume.id)
                volumes.append(
                    Volume(name: name, path: "\(path)/\(name)", limit: figures.limit, used: figures.used))
            } catch {
                // A file that is none of ours, or a volume that was deleted meanwhile.
                guard error == .notDirectory || error == .noEntry else {
                    throw failure("cannot read volume \(path)/\(name)", error)
                }
            }
        }
        return volumes
    }

    func failure(_ what: String, _ error: Errno) -> FlistError {
        guard error == .readOnly else { return FlistError(what, errno: error) }
        guard let image else { return FlistError(.io, "\(what): its file system is read-only") }
        return FlistError(
            .io,
            """
            \(what): it was made read-only after an error, most often for want of space on the disk of \(image.path) \
            (see dmesg); it comes back when nothing uses it any more
            """)
    }

    private func find(_ name: String) throws(FlistError) -> Subvolume? {
        do throws(Errno) {
            return try Subvolume(name, in: folder)
        } catch {
            guard error == .notDirectory else { throw failure("cannot open volume \(path)/\(name)", error) }
            throw FlistError(.invalid, "\(path)/\(name) is in the way: it is no volume")
        }
    }

    private func figures(of subvolume: Subvolume, _ name: String) throws(FlistError) -> Quota.Figures {
        do throws(Errno) {
            return try quota.figures(of: subvolume.id)
        } catch {
            let remedy = error == .noEntry ? "; are its quotas on? Try: btrfs quota enable \(path)" : ""
            throw FlistError(.io, "cannot read the quota of volume \(path)/\(name): \(error)\(remedy)")
        }
    }

    private func setLimit(of subvolume: Subvolume, _ name: String, _ limit: UInt64) throws(FlistError) {
        do throws(Errno) {
            try quota.limit(subvolume.id, to: limit, on: folder)
        } catch {
            throw failure("cannot limit volume \(path)/\(name)", error)
        }
    }
}
