internal import BlockCache
internal import FlistContent
internal import Hub
internal import Logging
public import Support

/// Once a day removes what has not been used for long and what is beyond the quota.
///
/// Thread-safe. Its thread starts with it, cleans once at the start, and ends with `stop`.
public final class Housekeeper: Sendable {
    private let isStopped = Monitor(false)
    private let thread: WorkerThread

    public init(_ flister: Flister, every interval: Duration = .seconds(24 * 60 * 60)) throws(FlistError) {
        let isStopped = isStopped
        thread = try WorkerThread("housekeeper") {
            while true {
                flister.collect()
                let end = isStopped.wait(until: .after(interval)) { $0 ? true : nil }
                if end != nil { return }
            }
        }
    }

    /// Ends the thread; waits for a cleaning under way.
    public func stop() {
        isStopped.withLock { $0 = true }
        isStopped.broadcast()
        thread.join()
    }
}

extension Flister {
    /// Removes contents and flists that have not been used for long, and contents beyond the quota. Blocks.
    func collect() {
        let contents = resources.cache?.collect()
        let flists = hub.collect(olderThan: maximumAge) { [folders, shared] md5 in
            // Also what is in use outside of this tree only: a next process needs it to go on.
            if shared.all.contains(where: { $0.md5 == md5 }) { return true }
            // A table that cannot be read keeps everything.
            guard let mounts = try? NodeMounts.current(folders) else { return true }
            return mounts.shared[md5] != nil || mounts.isUsed(md5)
        }
        guard (contents?.objects ?? 0) + flists.removed > 0 else { return }
        logger.info(
            "cleaned",
            metadata: [
                "contents": "\(contents?.objects ?? 0)", "flists": "\(flists.removed)",
                "bytes": "\((contents?.bytes ?? 0) + flists.bytes)",
            ])
    }
}
