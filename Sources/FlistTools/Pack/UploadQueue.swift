internal import BlockCodec
internal import BlockStore
internal import Support
internal import Synchronization

/// Writes stored blocks to their stores. Thread-safe.
///
/// A far store answers late, so several writes are under way at once, on threads of their own. A folder is written to by
/// whoever adds: it answers at once, and handing a block to another thread costs as much as writing a small one.
final class UploadQueue: Sendable {
    private struct Block {
        let id: Digest
        let stored: BlockBuffer
    }

    /// Blocks that go together: small ones share round trips.
    private struct Parcel {
        var blocks: [Block] = []
        var bytes = 0

        var isFull: Bool { bytes >= UploadQueue.parcelBytes || blocks.count >= UploadQueue.parcelCount }
    }

    /// Stored bytes that wait or are under way.
    private static let byteLimit = 32 << 20
    private static let parcelBytes = 256 << 10
    /// One by one 7,200 blocks of a Debian root cost a redis on loopback as much as compressing them.
    private static let parcelCount = 32
    /// With 16 in flight, blocks of 256 KiB and a round trip of 100 ms fill 40 MB/s.
    private static let threads = 16

    private let target: UploadTarget
    /// Nil when all stores are folders.
    private let queue: WorkQueue<Parcel>?
    private let gathered = Mutex(Parcel())

    /// - Parameter fail: Gets the errors of stores.
    init(_ router: BlockRouter, fail: @escaping @Sendable (FlistError) -> Void) throws(FlistError) {
        let target = UploadTarget(router, fail)
        self.target = target
        if router.stores.allSatisfy({ $0.url.scheme == .dir }) {
            queue = nil
        } else {
            queue = try WorkQueue("upload", threads: Self.threads, costLimit: Self.byteLimit) { parcel in
                target.put(parcel.blocks.map { StoredBlock($0.id, $0.stored.bytes) })
                withExtendedLifetime(parcel) {}
            }
        }
    }

    /// Bytes that stores have taken.
    var stored: UInt64 { target.bytes.load(ordering: .relaxed) }

    /// Takes a block, waiting while too much is under way. Nothing comes of it once packing has been given up.
    func add(_ id: Digest, _ stored: UnsafeRawBufferPointer) {
        guard let queue else { return target.put([StoredBlock(id, stored)]) }
        let buffer = BlockBufferPool.shared.buffer(capacity: stored.count)
        buffer.memory.copyMemory(from: stored)
        buffer.count = stored.count
        let full = gathered.withLock { parcel -> Parcel? in
            parcel.blocks.append(Block(id: id, stored: buffer))
            parcel.bytes += buffer.count
            return parcel.isFull ? exchange(&parcel, with: Parcel()) : nil
        }
        if let full { queue.add(full, cost: full.bytes) }
    }

    func abort() { queue?.abort() }

    /// Returns when everything is stored or given up, and the threads have ended.
    func finish() {
        guard let queue else { return }
        let rest = gathered.withLock { exchange(&$0, with: Parcel()) }
        if !rest.blocks.isEmpty { queue.add(rest, cost: rest.bytes) }
        queue.finish()
    }
}

/// The stores, and what they have taken. Thread-safe.
private final class UploadTarget: Sendable {
    let bytes = Atomic<UInt64>(0)
    private let router: BlockRouter
    private let fail: @Sendable (FlistError) -> Void

    init(_ router: BlockRouter, _ fail: @escaping @Sendable (FlistError) -> Void) {
        self.router = router
        self.fail = fail
    }

    func put(_ blocks: [StoredBlock]) {
        do throws(FlistError) {
            try router.put(blocks)
            bytes.add(blocks.reduce(0) { $0 + UInt64($1.bytes.count) }, ordering: .relaxed)
        } catch {
            fail(error)
        }
    }
}
