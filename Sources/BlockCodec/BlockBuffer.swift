internal import Synchronization

/// Memory for one block, stored or plain. Goes back to its pool when the last reference is let go.
///
/// One writer fills it before it is handed on; from then on it is only read.
public final class BlockBuffer: @unchecked Sendable {
    /// The whole memory; what is valid is its first `count` bytes.
    public let memory: UnsafeMutableRawBufferPointer
    /// The number of valid bytes. Set by the writer only.
    public var count = 0
    private let pool: BlockBufferPool

    init(memory: UnsafeMutableRawBufferPointer, pool: BlockBufferPool) {
        self.memory = memory
        self.pool = pool
    }

    deinit { pool.giveBack(memory) }

    /// The valid bytes; they live as long as this object.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }
}

/// Keeps the memory of blocks for use again, in sizes that are powers of two. Thread-safe.
public final class BlockBufferPool: Sendable {
    /// The pool of the process.
    public static let shared = BlockBufferPool()

    private struct Shelves: ~Copyable {
        // Indexed by the power of two; holds idle memory.
        var idle: [[UnsafeMutableRawBufferPointer]] = Array(repeating: [], count: 64)
        var idleBytes = 0
    }
    private let shelves = Mutex(Shelves())
    /// Idle memory beyond this is given back to the system.
    private let idleLimit: Int

    public init(idleLimit: Int = 32 << 20) { self.idleLimit = idleLimit }

    /// Memory for at least `capacity` bytes, aligned to a page from 4 KiB on. Its contents are undefined.
    public func buffer(capacity: Int) -> BlockBuffer {
        let size = max(512, Self.roundedUp(capacity))
        let shelf = size.trailingZeroBitCount
        let idle = shelves.withLock { shelves -> SendableMemory? in
            guard let memory = shelves.idle[shelf].popLast() else { return nil }
            shelves.idleBytes -= size
            return SendableMemory(memory)
        }
        let memory = idle?.memory ?? .allocate(byteCount: size, alignment: min(size, 4096))
        return BlockBuffer(memory: memory, pool: self)
    }

    fileprivate func giveBack(_ memory: UnsafeMutableRawBufferPointer) {
        let wrapped = SendableMemory(memory)
        let kept = shelves.withLock { shelves -> Bool in
            guard shelves.idleBytes + wrapped.memory.count <= idleLimit else { return false }
            shelves.idleBytes += wrapped.memory.count
            shelves.idle[wrapped.memory.count.trailingZeroBitCount].append(wrapped.memory)
            return true
        }
        if !kept { memory.deallocate() }
    }

    private static func roundedUp(_ capacity: Int) -> Int {
        capacity <= 1 ? 1 : 1 << (Int.bitWidth - (capacity - 1).leadingZeroBitCount)
    }
}

/// Carries memory across the lock of a pool. Sound since memory on a shelf has no other owner.
private struct SendableMemory: @unchecked Sendable {
    let memory: UnsafeMutableRawBufferPointer

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }
}
