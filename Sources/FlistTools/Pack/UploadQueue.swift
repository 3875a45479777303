internal import BlockCodec
internal import BlockStore
internal import Support
internal import Synchronization

/// Writes stored blocks to their stores. Thread-safe.
///
/// A far store answers late, so several writes are under way at once, on threads of their own. A folder is written to by
/// whoever adds: it answers at once, and handing a block to another thread costs as much as writing a small one.
final class UploadQueue: Sendable {
    private typealias Block = (id: Digest, stored: BlockBuffer)

    /// Stored bytes that wait or are under way.
    private static let byteLimit = 32 << 20
    /// With 16 in flight, blocks of 256 KiB and a round trip of 100 ms fill 40 MB/s.
    private static let threads = 16

    private let target: UploadTarget
    /// Nil when all stores are folders.
    private let queue: WorkQueue<Block>?

    /// - Parameter fail: Gets the errors of stores.
    init(_ router: BlockRouter, fail: @escaping @Sendable (FlistError) -> Void) throws(FlistError) {
        let target = UploadTarget(router, fail)
        self.target = target
        if router.stores.allSatisfy({ $0.url.scheme == .dir }) {
            queue = nil
        } else {
            queue = try WorkQueue("upload", threads: Self.threads, costLimit: Self.byteLimit) { block in
                target.put(block.id, block.stored.bytes)
            }
        }
    }

    /// Bytes that stores have taken.
    var stored: UInt64 { target.bytes.load(ordering: .relaxed) }

    /// Takes a block, waiting while too much is under way. Nothing comes of it once packing has been given up.
    func add(_ id: Digest, _ stored: UnsafeRawBufferPointer) {
        guard let queue else { return target.put(id, stored) }
        let buffer = BlockBufferPool.shared.buffer(capacity: stored.count)
        buffer.memory.copyMemory(from: stored)
        buffer.count = stored.count
        queue.add((id, buffer), cost: stored.count)
    }

    func abort() { queue?.abort() }

    /// Returns when everything is stored or given up, and the threads have ended.
    func finish() { queue?.finish() }
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

    func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) {
        do throws(FlistError) {
            try router.put(id, stored)
            bytes.add(UInt64(stored.count), ordering: .relaxed)
        } catch {
            fail(error)
        }
    }
}
