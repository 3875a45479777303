internal import BlockCodec
internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// What a cache and its open objects share. Thread-safe.
final class CacheCore: Sendable {
    let folder: CacheFolder
    let boot: BootID
    let owner = geteuid()
    let log = FailureLog()
    let workspace: Workspace
    let ledger: Ledger
    let durability: Durability
    let table = Mutex<[Digest: Entry]>([:])
    let holders = Mutex(ContentHolders())
    let closed = Atomic<Bool>(false)
    /// Whether all that is in `fresh` was written in this boot.
    let isFreshTrusted = Atomic<Bool>(true)
    /// Contents evicted to make room.
    let evictions = Atomic<Int>(0)
    /// Contents that were read again in the background, and their bytes.
    let scrubbed = Atomic<Int>(0)
    let scrubbedBytes = Atomic<UInt64>(0)
    /// Contents that were found damaged.
    let damaged = Atomic<Int>(0)

    struct Entry {
        weak var object: CachedObject?
        let serial: UInt64
    }

    init(folder: CacheFolder, options: BlockCache.Options, boot: BootID) {
        self.folder = folder
        self.boot = boot
        workspace = Workspace(folder: folder, log: log)
        ledger = Ledger(folder: folder, options: options, workspace: workspace, log: log)
        durability = Durability(folder: folder, log: log)
    }

    var isClosed: Bool { closed.load(ordering: .relaxed) }

    /// Takes an object's entry away when the object goes, unless a later object has its place.
    func forget(_ content: Digest, serial: UInt64) {
        table.withLock { table in
            if table[content]?.serial == serial { table[content] = nil }
        }
    }

    /// The objects that are open now.
    var openObjects: [CachedObject] {
        // Let go of outside the lock, since the last reference to an object takes it.
        table.withLock { table in table.values.compactMap(\.object) }
    }

    func openObject(_ content: Digest) -> CachedObject? { table.withLock { $0[content]?.object } }

    /// Removes a file and takes its bytes off the ledger; nothing if it is not there.
    func remove(_ path: String) {
        ledger.removing {
            var status = stat()
            guard lstat(path, &status) == 0, unlink(path) == 0 else { return 0 }
            return DiskBytes.of(status)
        }
    }

    /// Whether a write that the disk had no room for should be tried again: something else was evicted for it.
    func mayRetry(after error: Errno, bytes: UInt64) -> Bool {
        guard error == .noSpace || error == .quotaExceeded else { return false }
        guard ledger.makeRoomOnFullDisk(bytes) else { return false }
        // What was removed below a quota of btrfs counts until its next commit, which is every 30 s or at a sync.
        if error == .quotaExceeded { durability.syncDisk() }
        return true
    }

    func cannotStore(_ error: Errno) {
        log.report("cannot store in the cache \(folder.path): \(error); \(Self.remedy(for: error))")
    }

    static func remedy(for error: Errno) -> String {
        switch error {
        case .noSpace, .quotaExceeded: "reads go on from the stores; free some disk space"
        case .readOnly: "reads go on from the stores; mount its file system read-write"
        default: "reads go on from the stores; check the disk (dmesg)"
        }
    }

    /// Reads from a descriptor that its backing owns.
    func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        let borrowed = FileDescriptor(owning: descriptor)
        let result: Result<Int, Errno>
        do throws(Errno) { result = .success(try borrowed.read(into: buffer, at: offset)) } catch {
            result = .failure(error)
        }
        _ = borrowed.release()
        return try result.get()
    }

    /// Writes to a descriptor that its backing owns.
    func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: UInt64) throws(Errno) {
        let borrowed = FileDescriptor(owning: descriptor)
        var failure: Errno?
        do throws(Errno) { try borrowed.write(bytes, at: offset) } catch { failure = error }
        _ = borrowed.release()
        if let failure { throw failure }
    }
}
