internal import CBtrfs
internal import Support
internal import Synchronization

/// The quota groups of deleted subvolumes. Linux removes them with the subvolume since 6.10; before, they stayed for
/// ever, and could not be removed while the cleaner was at work.
extension Pool {
    /// Removes those of the volumes that were deleted here, as far as the kernel is done with them. Never fails.
    func reclaimDoomed() {
        for id in doomed.withLock({ $0 }) where isReclaimed(id) {
            doomed.withLock { _ = $0.remove(id) }
        }
    }

    /// Removes all that an earlier run left.
    func reclaimStale() throws(Errno) {
        func isGone(_ id: UInt64) throws(Errno) -> Bool { !(try Subvolume.exists(id, in: folder)) }
        var stale: [UInt64] = []
        for id in try quota.subvolumes() where try isGone(id) { stale.append(id) }
        if stale.isEmpty { return }
        // A group is made just before its subvolume: only what is without one after a commit has lost it.
        try check(btrfs_util_sync_fd(folder.number))
        for id in stale where try isGone(id) { _ = isReclaimed(id) }
    }

    private func isReclaimed(_ id: UInt64) -> Bool {
        do throws(Errno) {
            _ = try quota.figures(of: id)
            if try Subvolume.exists(id, in: folder) { return false }
            try quota.remove(id, on: folder)
            return true
        } catch {
            return error == .noEntry
        }
    }
}
