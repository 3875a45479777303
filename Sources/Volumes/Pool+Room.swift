internal import CBtrfs
internal import CLinux
internal import Glibc
internal import Logging
internal import Support

extension Pool {
    /// Grows the image until all that is promised fits. Does nothing on a file system of the host's.
    func makeRoom() throws(FlistError) {
        guard let image else { return }
        // Each caller has made its promise before, so whoever comes last counts all.
        try turns.take(.growth) { () throws(FlistError) in
            var goal: UInt64 = 0
            do throws(Errno) {
                let needed = try roomNeeded(image)
                let size = try deviceSize()
                guard size < needed else { return }
                goal = roundedSize(needed)
                try image.grow(to: goal, folder)
                logger.info(
                    "the pool of volumes has grown",
                    metadata: ["image": "\(image.path)", "from": "\(ByteCount(size))", "to": "\(ByteCount(goal))"])
            } catch {
                let size = goal == 0 ? "" : " to \(ByteCount(goal))"
                throw failure("cannot grow \(image.path)\(size)", error)
            }
        }
    }

    /// What the file system must hold, in bytes.
    private func roomNeeded(_ image: PoolImage) throws(Errno) -> UInt64 {
        var promised: UInt64 = 0
        var isUnlimited = false
        for id in try quota.subvolumes() {
            let limit: UInt64
            do throws(Errno) {
                limit = try quota.figures(of: id).limit
            } catch {
                // Deleted meanwhile.
                guard error == .noEntry else { throw error }
                continue
            }
            promised = promised.addingSaturated(limit)
            if limit == 0 { isUnlimited = true }
        }
        let number = folder.number
        var status = statvfs()
        _ = try systemCall { fstatvfs(number, &status) }
        let used = UInt64(status.f_blocks &- status.f_bfree) &* UInt64(status.f_frsize)
        var content = max(promised, used)
        // Without a limit, the host's disk is the limit.
        if isUnlimited { content = content.addingSaturated(try image.hostFree()) }
        // What no volume is charged for: checksums (0.1 %), the extent tree, and chunks that are not yet full,
        // which have up to a tenth of the file system each.
        return content.addingSaturated(content / 4).addingSaturated(512 << 20)
    }

    /// To the next power of two, from 64 GiB on to the next multiple: growing takes a commit each time, and a hole
    /// in the file costs nothing.
    private func roundedSize(_ needed: UInt64) -> UInt64 {
        let step: UInt64 = 64 << 30
        if needed >= step {
            let (size, overflow) = ((needed - 1) / step + 1).multipliedReportingOverflow(by: step)
            return overflow ? .max : size
        }
        var size: UInt64 = 1 << 30
        while size < needed { size *= 2 }
        return size
    }

    /// How large the file system believes its only device to be.
    private func deviceSize() throws(Errno) -> UInt64 {
        var info = btrfs_ioctl_dev_info_args()
        info.devid = 1
        let number = folder.number
        _ = try systemCall { btrfs_dev_info(number, &info) }
        return info.total_bytes
    }
}
