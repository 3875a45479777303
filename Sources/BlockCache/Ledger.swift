internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// Keeps all processes together within the quota, and leaves a share of the disk free. Thread-safe.
///
/// The file `usage` holds one number: bytes on disk and bytes that processes have reserved. A process reserves a
/// chunk at a time and spends it by itself, so that most stores touch no shared file. What a process has reserved
/// and not yet written is also in its own folder, so that a recount can tell what the dead have left behind.
final class Ledger: Sendable {
    private struct Purse {
        var unspent: UInt64 = 0
        /// Spent, but perhaps not yet on disk for a recount to see.
        var inFlight: UInt64 = 0
    }

    let quota: UInt64?
    let freeShare: Double
    let folder: CacheFolder
    private let workspace: Workspace
    private let log: FailureLog
    private let purse = Mutex(Purse())
    /// One thread at a time gets more; it is when it may try again after it could not.
    private let refill = Mutex<UInt64>(0)
    private let makeRoom = Mutex<(@Sendable (UInt64, Bool) -> Bool)?>(nil)
    /// More is not believed, so that sums of what files say do not overflow.
    private static let limit: UInt64 = 1 << 60
    private static let magic: UInt64 = 0x3167_6465_6c74_6c66

    init(folder: CacheFolder, options: BlockCache.Options, workspace: Workspace, log: FailureLog) {
        self.folder = folder
        self.workspace = workspace
        self.log = log
        quota = options.quota.map { min($0, Self.limit) }
        freeShare = min(max(options.freeShare, 0), 1)
    }

    /// Says how to make room for a number of bytes; set once, before the first store.
    func setMakeRoom(_ action: @escaping @Sendable (_ bytes: UInt64, _ isDiskFull: Bool) -> Bool) {
        makeRoom.withLock { $0 = action }
    }

    /// Bytes taken from the quota at a time.
    var chunk: UInt64 { max(4096, min(8 << 20, (quota ?? .max) / 64) & ~4095) }

    /// Takes bytes that are about to be written; false if there is no room, which is logged. May evict, so it blocks.
    func spend(_ bytes: UInt64) -> Bool {
        if take(bytes) { return true }
        return refill.withLock { retryAt in
            if take(bytes) { return true }
            guard Deadline.now.nanoseconds >= retryAt, workspace.path() != nil else { return false }
            if reserve(bytes) { return take(bytes) }
            let begin = Deadline.now.nanoseconds
            if let action = makeRoom.withLock({ $0 }), action(bytes, false), reserve(bytes) { return take(bytes) }
            // A vain look through the whole cache: spend at most a tenth of the time on them.
            let end = Deadline.now.nanoseconds
            retryAt = end + min(1_000_000_000, max(20_000_000, (end - begin) * 10))
            log.report(
                "the cache \(folder.path) is full and all in it is in use: reads go on from the stores; raise its quota or free disk space"
            )
            return false
        }
    }

    /// Makes room after the disk refused bytes that were spent; false if nothing could be removed. Blocks.
    func makeRoomOnFullDisk(_ bytes: UInt64) -> Bool {
        refill.withLock { retryAt in
            let begin = Deadline.now.nanoseconds
            guard begin >= retryAt, let action = makeRoom.withLock({ $0 }) else { return false }
            if action(bytes, true) { return true }
            let end = Deadline.now.nanoseconds
            retryAt = end + min(1_000_000_000, max(20_000_000, (end - begin) * 10))
            return false
        }
    }

    /// Says that spent bytes are written (or will not be, but may have left something).
    func landed(_ bytes: UInt64) { purse.withLock { $0.inFlight -= min(bytes, $0.inFlight) } }

    /// Takes back spent bytes of which nothing is on disk.
    func refund(_ bytes: UInt64) {
        purse.withLock { purse in
            purse.inFlight -= min(bytes, purse.inFlight)
            purse.unspent += bytes
        }
    }

    /// Takes what `body` removes from the disk, in bytes, off the shared number; no count comes between the two.
    func removing(_ body: () -> UInt64) {
        guard quota != nil else {
            _ = body()
            return
        }
        withUsage { used in
            let bytes = body()
            return used.map { $0 - min($0, bytes) }
        }
    }

    /// Lets `body` unlink files that stay open, in bytes: they are still on disk. `refund` them when they are closed.
    func unlinking(_ body: () -> UInt64) -> UInt64 {
        var bytes: UInt64 = 0
        guard quota != nil else {
            _ = body()
            return 0
        }
        withUsage { used in
            bytes = body()
            purse.withLock { $0.inFlight += bytes }
            record()
            return used
        }
        return bytes
    }

    /// Sets the shared number by a count of what is on disk. Call under the cache's lock.
    ///
    /// Nobody reserves meanwhile: what was reserved and then written during the count would be missed by both.
    func recount(_ count: () -> UInt64) {
        guard quota != nil else {
            _ = count()
            return
        }
        withUsage { _ in
            record()
            let onDisk = count()
            return min(onDisk, Self.limit / 2) + min(Workspace.survey(folder).outstanding, Self.limit / 2)
        }
    }

    /// The shared number; nil if it has to be counted anew.
    var used: UInt64? {
        var found: UInt64?
        withUsage { used in
            found = used
            return used
        }
        return found
    }

    /// Gives what is left back.
    func close() {
        removing {
            let rest = purse.withLock { purse in
                defer { purse.unspent = 0 }
                return purse.unspent
            }
            record()
            return rest
        }
    }

    /// Bytes that may still be written before the free share of the disk is touched.
    func allowance() -> UInt64 {
        var disk = statvfs()
        guard statvfs(folder.path, &disk) == 0, disk.f_blocks > 0 else { return .max }
        let unit = UInt64(disk.f_frsize)
        let available = UInt64(disk.f_bavail) &* unit
        let kept = UInt64(Double(UInt64(disk.f_blocks) &* unit) * freeShare)
        return available - min(available, kept)
    }

    private func take(_ bytes: UInt64) -> Bool {
        purse.withLock { purse in
            guard purse.unspent >= bytes else { return false }
            purse.unspent -= bytes
            purse.inFlight += bytes
            return true
        }
    }

    /// Moves some of the quota into the purse, at least `bytes`.
    private func reserve(_ bytes: UInt64) -> Bool {
        let allowance = allowance()
        guard allowance >= bytes else { return false }
        let wanted = min(max(bytes, chunk), allowance)
        guard let quota else {
            purse.withLock { $0.unspent += wanted }
            return true
        }
        var isReserved = false
        withUsage { used in
            guard let used, used <= quota, quota - used >= bytes else { return used }
            let amount = min(wanted, quota - used)
            purse.withLock { $0.unspent += amount }
            record()
            isReserved = true
            return used + amount
        }
        return isReserved
    }

    private func record() {
        workspace.record(outstanding: purse.withLock { $0.unspent + $0.inFlight })
    }

    /// Changes the shared number under its file's lock. Nil stands for a number that cannot be believed.
    private func withUsage(_ body: (UInt64?) -> UInt64?) {
        guard let file = try? FileDescriptor(folder.usage, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600) else {
            _ = body(nil)
            return
        }
        let number = file.number
        _ = try? systemCall { flock(number, LOCK_EX) }
        var words: (UInt64, UInt64) = (0, 0)
        let count = withUnsafeMutableBytes(of: &words) { (try? file.read(into: $0, at: 0)) ?? 0 }
        let found = count == 16 && words.0 ^ Self.magic == words.1 && words.0 <= Self.limit ? words.0 : nil
        guard let next = body(found), next != found else { return }
        words = (next, next ^ Self.magic)
        withUnsafeBytes(of: words) { try? file.write($0, at: 0) }
    }
}
