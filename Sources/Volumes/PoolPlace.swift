internal import CBtrfs
internal import CLinux
internal import Glibc
internal import Logging
internal import Support

/// Where a pool lies, and how it comes to be there.
struct PoolPlace: Sendable {
    let root: String
    let imageSize: UInt64
    let turns: Turns
    let logger: Logger

    /// Opens the pool.
    ///
    /// - Parameter making: whether to make one where there is none.
    /// - Returns: nil if there is none.
    func open(making: Bool) throws(FlistError) -> Pool? {
        guard let root = try resolveRoot(making) else { return nil }
        let folder = "\(root)/volumes"
        let image = PoolImage(path: "\(root)/volumes.img", mountPoint: folder)
        if try isBtrfs(folder), try !image.isMounted() { return try openPool(folder, nil) }
        if try isBtrfs(root) {
            guard making else { return nil }
            try makeFolder(folder, 0o700)
            return try openPool(folder, nil)
        }
        guard making || access(image.path, F_OK) == 0 else { return nil }
        try makeFolder(folder, 0o700)
        try checkMountPoint(image)
        try image.ensureMounted(size: imageSize, logger)
        return try openPool(folder, image)
    }

    /// Refuses a folder whose mount would not be found again, and one in which a new pool would hide somebody's files.
    private func checkMountPoint(_ image: PoolImage) throws(FlistError) {
        let folder = image.mountPoint
        var status = stat()
        guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw FlistError(.exists, "cannot mount \(image.path) at \(folder): that is no folder")
        }
        if access(image.path, F_OK) != 0, try !image.isMounted(), !Folder.names(in: folder).isEmpty {
            throw FlistError(
                .exists, "cannot make \(image.path): it would hide the files in \(folder); move them away")
        }
    }

    private func openPool(_ folder: String, _ image: PoolImage?) throws(FlistError) -> Pool {
        do throws(Errno) {
            let pool = try Pool(path: folder, image: image, turns: turns, logger: logger)
            if pool.isReadOnly { return pool }
            try turnOnQuotas(pool)
            try pool.reclaimStale()
            return pool
        } catch {
            let remedy = "if its quotas are at fault, try: btrfs quota enable \(folder); or choose another root"
            throw FlistError(.io, "cannot use \(folder) for volumes: \(error); \(remedy)")
        }
    }

    /// Sees to it that the kernel counts, and counts right.
    private func turnOnQuotas(_ pool: Pool) throws(Errno) {
        let isOurs = pool.image != nil
        if !pool.quota.isEnabled {
            // What has simple quotas once is lost to older kernels: not for us to decide about the host's disk.
            try pool.quota.enable(isOurs ? .simple : .full, on: pool.folder)
            if !isOurs {
                logger.warning("quotas were turned on for the whole file system", metadata: ["path": "\(pool.path)"])
            }
        }
        if pool.quota.isInconsistent {
            logger.warning("the kernel lost count of quotas: it counts anew", metadata: ["path": "\(pool.path)"])
            // On the host's disk that may take hours.
            try pool.quota.rescan(on: pool.folder, waiting: isOurs)
        }
    }

    /// The root without symlinks, as the mount table shows it; nil if it does not exist.
    private func resolveRoot(_ making: Bool) throws(FlistError) -> String? {
        if making { try makeFolder(root, 0o755) }
        guard let resolved = realpath(root, nil) else {
            let error = Errno.current
            if error == .noEntry, !making { return nil }
            throw FlistError("cannot open \(root)", errno: error)
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func makeFolder(_ path: String, _ mode: mode_t) throws(FlistError) {
        guard mkdir(path, mode) != 0 else { return }
        let error = Errno.current
        if error != .exists { throw FlistError("cannot make \(path)", errno: error) }
    }

    /// False for what does not exist.
    private func isBtrfs(_ path: String) throws(FlistError) -> Bool {
        var status = statfs()
        if statfs(path, &status) == 0 { return status.f_type == btrfsMagic }
        let error = Errno.current
        if error == .noEntry { return false }
        throw FlistError("cannot look at \(path)", errno: error)
    }
}

/// BTRFS_SUPER_MAGIC, see statfs(2).
private let btrfsMagic = 0x9123_683e
