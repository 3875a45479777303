internal import CBtrfs
internal import CLinux
internal import Glibc
internal import Logging
internal import Support
internal import Synchronization

extension Pool {
    /// Grows the image until all that is promised fits, with `promise` bytes more than before; 0 is no limit. The
    /// kernel must know the promise already. Does nothing on a file system of the host's.
    func makeRoom(for promise: UInt64) throws(FlistError) {
        guard let image else { return }
        promises.add(promise)
        do throws(Errno) {
            if promise > 0, let bound = promises.bound, try roomNeeded(for: bound) <= deviceSize() { return }
        } catch {
            throw failure("cannot look at the size of \(path)", error)
        }
        try turns.take(.growth) { () throws(FlistError) in try grow(image) }
    }

    private func grow(_ image: PoolImage) throws(FlistError) {
        var goal: UInt64 = 0
        do throws(Errno) {
            let bound = try promises.recount { () throws(Errno) in try sumOfLimits(image) }
            let needed = try roomNeeded(for: bound)
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

    /// What all volumes may use together. All that have no limit may use what the host has.
    private func sumOfLimits(_ image: PoolImage) throws(Errno) -> UInt64 {
        var sum: UInt64 = 0
        var isUnlimited = false
        let doomed = doomed.withLock { $0 }
        for id in try quota.subvolumes() {
            do throws(Errno) {
                let figures = try quota.figures(of: id)
                // What is deleted takes no more than it has.
                let isDoomed = doomed.contains(id)
                sum = sum.addingSaturated(isDoomed ? figures.used : figures.limit)
                if figures.limit == 0, !isDoomed { isUnlimited = true }
            } catch {
                // Deleted meanwhile.
                guard error == .noEntry else { throw error }
            }
        }
        return isUnlimited ? sum.addingSaturated(try image.hostFree()) : sum
    }

    /// How large the file system must be for volumes of that many bytes.
    private func roomNeeded(for promised: UInt64) throws(Errno) -> UInt64 {
        let number = folder.number
        var status = statvfs()
        _ = try systemCall { fstatvfs(number, &status) }
        let used = UInt64(status.f_blocks &- status.f_bfree) &* UInt64(status.f_frsize)
        let content = max(promised, used)
        // What no volume is charged for: checksums (0.1 %), the extent tree, what is rewritten until the next commit,
        // and the chunks, of which the last of a kind is not full.
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
