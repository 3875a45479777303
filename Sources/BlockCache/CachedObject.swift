internal import BlockCodec
internal import CLinux
internal import Glibc
public import Support
internal import Synchronization

/// One content in the cache, whole or in part, held open.
///
/// Thread-safe. `holds` and `read` take no lock and do not allocate while the bytes are there. An open object is
/// never evicted; it holds one descriptor, two while it is partial, and lets go of them when it is freed.
public final class CachedObject: Sendable {
    /// The content's name.
    public let content: Digest
    let layout: BlockLayout
    let name: ObjectName
    let core: CacheCore
    /// Tells this object's entry in the table from a later one's.
    let serial: UInt64
    // Owns one reference to the backing; those before it are kept in `slow` until the object goes, so that a reader
    // need not count references.
    let current: Atomic<Unmanaged<Backing>>
    let slow: Mutex<Slow>

    /// Needed again when what is stored turns out to be damaged.
    let blocks: any BlockList

    /// What is needed only to change something.
    struct Slow {
        var retired: [Backing] = []
        /// Bytes of maps that have no name any more and are still open.
        var unlinked: UInt64 = 0

        /// The disk takes the content and then fails to give it back: each turn leaves two descriptors open.
        var isHopeless: Bool { retired.count >= 16 }
    }

    init(content: Digest, blocks: any BlockList, core: CacheCore, serial: UInt64) {
        self.content = content
        self.core = core
        self.serial = serial
        self.blocks = blocks
        layout = BlockLayout(blocks)
        name = ObjectName(content: content, blockSize: layout.blockSize)
        let backing = Self.existing(name, layout, blocks, core)
        let isComplete = backing.isComplete.load(ordering: .relaxed)
        slow = Mutex(Slow())
        let isFull = !isComplete && backing.map != nil && backing.missing.load(ordering: .relaxed) == 0
        current = Atomic(Unmanaged.passRetained(backing))
        // Filled by a process that ended before it could say so.
        if isFull { complete(backing) }
    }

    deinit {
        withBacking { backing in
            // Used until now, not just when it was opened.
            var status = stat()
            if backing.data >= 0, fstat(backing.data, &status) == 0 { Self.noteUse(backing.data, status) }
        }
        let unlinked = slow.withLock { slow in
            slow.retired = []
            return slow.unlinked
        }
        current.load(ordering: .acquiring).release()
        core.ledger.refund(unlinked)
        core.forget(content, serial: serial)
    }

    /// Lends the backing of this moment, without counting references.
    @inline(__always)
    func withBacking<Result>(_ body: (Backing) -> Result) -> Result {
        current.load(ordering: .acquiring)._withUnsafeGuaranteedRef { body($0) }
    }

    var backing: Backing { withBacking { $0 } }

    /// The content's size in bytes.
    public var size: UInt64 { layout.size }

    /// Whether all blocks are present and trusted.
    public var isComplete: Bool { withBacking { $0.isComplete.load(ordering: .acquiring) } }

    /// Whether all blocks of a range of bytes are present and trusted.
    ///
    /// What lies past the end does not count. Looks into the map on disk for what another process may have added.
    public func holds(_ range: Range<UInt64>) -> Bool {
        let end = min(range.upperBound, layout.size)
        guard range.lowerBound < end else { return true }
        let found = withBacking { backing -> (isHeld: Bool, isLast: Bool) in
            if backing.isComplete.load(ordering: .acquiring) { return (true, false) }
            guard let blocks = layout.blocks(in: range.lowerBound..<end) else { return (false, false) }
            if backing.bits.arePresent(blocks) { return (true, false) }
            guard backing.map != nil else { return (false, false) }
            let isLast = backing.refresh(blocks)
            return (backing.bits.arePresent(blocks), isLast)
        }
        if found.isLast { complete(backing) }
        return found.isHeld
    }

    /// What there is of one block; absent for an index that the content does not have.
    public func state(ofBlock block: Int) -> BlockState {
        guard block >= 0, block < layout.count else { return .absent }
        let found = withBacking { backing -> (state: BlockState, isLast: Bool) in
            if backing.isComplete.load(ordering: .acquiring) || backing.bits.isPresent(block) {
                return (.present, false)
            }
            let isLast = backing.refresh(block..<block + 1)
            if backing.bits.isPresent(block) { return (.present, isLast) }
            return (backing.bits.isSuspect(block) ? .suspect : .absent, isLast)
        }
        if found.isLast { complete(backing) }
        return found.state
    }

    /// Reads bytes that are held; answers how many, fewer than asked for only at the content's end. Blocks on the disk.
    ///
    /// - Throws: `again` if they are not held (any more), or what the disk said. After that the object holds nothing:
    ///   fetch and store the blocks again.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int {
        guard offset < layout.size else { return 0 }
        let wanted = Int(min(UInt64(buffer.count), layout.size - offset))
        guard wanted > 0 else { return 0 }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
        let outcome = withBacking { backing -> Result<Int, Errno> in
            if !backing.isComplete.load(ordering: .acquiring) {
                guard let blocks = layout.blocks(in: offset..<offset + UInt64(wanted)), backing.bits.arePresent(blocks)
                else { return .failure(.again) }
            }
            guard backing.data >= 0 else {
                // Nothing was stored yet: what is held is holes.
                part.initializeMemory(as: UInt8.self, repeating: 0)
                return .success(wanted)
            }
            return Self.read(backing.data, into: part, at: offset)
        }
        switch outcome {
        case .success(wanted): return wanted
        case .failure(.again): throw .again
        case .success:
            discard(because: "the file is shorter than its content")
            throw .io
        case .failure(let error):
            discard(because: error.description)
            throw error
        }
    }

    /// Another descriptor of the complete file, for the kernel to read by itself; nil while it is not complete.
    ///
    /// Also nil for contents without any file: empty ones, and holes only. Eviction spares the file as long as the
    /// descriptor is open. The file must not be written to through it.
    public func completeFile() -> FileDescriptor? {
        let number = withBacking { backing -> Int32? in
            guard backing.isComplete.load(ordering: .acquiring), backing.data >= 0 else { return nil }
            return try? systemCall { fcntl(backing.data, F_DUPFD_CLOEXEC, 0) }
        }
        return number.map { FileDescriptor(owning: $0) }
    }

    /// Lets the kernel drop its copies of a range in memory: posix_fadvise(2), DONTNEED.
    ///
    /// Of a content that is not yet on disk the call would have the kernel write just this file, and drop nothing: such
    /// a one is dropped whole after the next sync.
    public func dropPages(_ range: Range<UInt64>) {
        guard !withBacking({ $0.isFresh || $0.map != nil }) || !core.durability.dropPages(name) else { return }
        advise(POSIX_FADV_DONTNEED, range)
    }

    /// Has the kernel begin to read a range from the disk: posix_fadvise(2), WILLNEED. Nothing while it is not complete.
    public func willRead(_ range: Range<UInt64>) {
        guard isComplete else { return }
        advise(POSIX_FADV_WILLNEED, range)
    }

    private func advise(_ advice: Int32, _ range: Range<UInt64>) {
        guard let offset = Int(exactly: range.lowerBound), range.lowerBound < layout.size else { return }
        let length = Int(min(range.upperBound, layout.size) - range.lowerBound)
        // To the kernel 0 means up to the end.
        guard length > 0 else { return }
        withBacking { backing in
            if backing.data >= 0 { posix_fadvise(backing.data, offset, length, advice) }
        }
    }

    private static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) -> Result<Int, Errno> {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, Int(offset) + done)
            if count == 0 { break }
            if count < 0 {
                let error = Errno.current
                if error == .interrupted { continue }
                return .failure(error)
            }
            done += count
        }
        return .success(done)
    }
}
