internal import BlockCache
internal import BlockCodec
public import BlockStore
public import FlistImage
public import Support
internal import Synchronization

/// The bytes of one regular file: from the cache at once, or from the stores when they come. Thread-safe.
public final class ContentFile: Sendable {
    /// What the file consists of.
    public let blocks: TreeIndexBlocks
    /// The entry that it was opened by; others may have the same content.
    let inode: InodeNumber
    let id: Digest
    /// Nil when there is no cache folder.
    let object: CachedObject?
    private let loader: BlockLoader
    private let counters: ContentCounters
    private let recorder: ProfileRecorder
    private let readahead = Mutex(ReadaheadWindow())
    /// Which blocks the recorder has heard of.
    let told = ToldBlocks()
    /// Bytes gathered in one piece of memory at most.
    private static let longestRead: UInt64 = 64 << 20
    /// What the clock of the table of open files showed at the last use.
    let lastUse: Atomic<UInt64>

    init(
        blocks: TreeIndexBlocks, inode: InodeNumber, id: Digest, object: CachedObject?, loader: BlockLoader,
        counters: ContentCounters, recorder: ProfileRecorder, now: UInt64 = 0
    ) {
        lastUse = Atomic(now)
        self.blocks = blocks
        self.inode = inode
        self.id = id
        self.object = object
        self.loader = loader
        self.counters = counters
        self.recorder = recorder
    }

    /// The file's size in bytes.
    public var size: UInt64 { blocks.size }

    /// The part of a request that lies within the file.
    public func clamp(offset: UInt64, count: Int) -> Range<UInt64> {
        let start = min(offset, size)
        return start..<min(size, start.addingReportingOverflow(UInt64(max(0, count))).partialValue.clamped(from: start))
    }

    /// Reads a range if all of it is on the local disk; nil if a store must be asked first.
    ///
    /// The hot path: two atomic loads and one pread(2).
    public func readNow(_ range: Range<UInt64>, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let object, object.holds(range), buffer.count >= range.count else { return nil }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<range.count])
        guard let count = try? object.read(into: part, at: range.lowerBound), count == range.count else { return nil }
        counters.localReads.count()
        counters.bytesRead.count(UInt64(count))
        noteRead(range, isLocal: true)
        return count
    }

    /// Another descriptor of the file on the local disk, for the kernel to read by itself; nil while it is not complete.
    ///
    /// The cache does not evict it before the descriptor is closed. It must not be written to.
    public func completeFile() -> FileDescriptor? {
        guard let file = object?.completeFile() else { return nil }
        // Nobody tells what the kernel reads of it: its beginning stands for that.
        if recorder.isRecording { recorder.note(0..<min(size, UInt64(ReadaheadWindow.first)), of: self) }
        return file
    }

    /// Lets the kernel drop its copies of a range of the file on the local disk.
    public func dropPages(_ range: Range<UInt64>) { object?.dropPages(range) }

    /// Has the kernel begin to read the file's start from the local disk; false unless all of the file is there.
    func willReadStart() -> Bool {
        guard let object, object.isComplete else { return false }
        object.willRead(0..<UInt64(ReadaheadWindow.first))
        return true
    }

    /// Runs ahead of sequential readers. Complete files and files of one block need none.
    private func noteRead(_ range: Range<UInt64>, isLocal: Bool) {
        if recorder.isRecording { recorder.note(range, of: self) }
        guard !range.isEmpty, blocks.count > 1, object?.isComplete != true else { return }
        let limit = loader.readaheadLimit(blockSize: blocks.blockSize)
        let wanted = readahead.withLock {
            $0.read(range, isLocal: isLocal, blockSize: blocks.blockSize, blockCount: blocks.count, limit: limit)
        }
        for block in wanted {
            // Blocks in doubt wait for their reader: to verify them here would keep this one waiting.
            guard isAbsent(block), let reference = blocks[block] else { continue }
            loader.load(block, reference, of: self, .readahead, waiter: nil)
        }
    }

    /// Whether nothing of a block is on the disk.
    func isAbsent(_ block: Int) -> Bool { object.map { $0.state(ofBlock: block) == .absent } ?? true }

    /// Whether a block needs no store. A block that an unclean stop left in doubt is verified here.
    func isLocal(_ block: Int) -> Bool {
        guard blocks[block] != nil else { return true }
        guard let object else { return false }
        switch object.state(ofBlock: block) {
        case .present: return true
        case .absent: return false
        case .suspect: return object.verify(block: block)
        }
    }

    /// Reads part of a block that is local; false if the disk fails.
    func readLocal(_ part: Range<UInt64>, into place: UnsafeMutableRawBufferPointer) -> Bool {
        if blocks[Int(part.lowerBound / UInt64(blocks.blockSize))] == nil {
            _ = place.initializeMemory(as: UInt8.self, repeating: 0)
            return true
        }
        guard let object, let count = try? object.read(into: place, at: part.lowerBound) else { return false }
        return count == part.count
    }

    /// Reads a block that the cache holds; nil if the disk fails.
    func readBlock(_ block: Int, length: Int) -> BlockBuffer? {
        guard object != nil else { return nil }
        let buffer = BlockBufferPool.shared.buffer(capacity: length)
        let memory = UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<length])
        let start = UInt64(block) * UInt64(blocks.blockSize)
        guard readLocal(start..<(start + UInt64(length)), into: memory) else { return nil }
        buffer.count = length
        return buffer
    }

    /// Reads a range whose blocks may have to be fetched.
    ///
    /// - Parameters:
    ///   - range: what lies past the end of the file, or past 64 MiB of it, is left out.
    ///   - completion: called exactly once, now or from a decoding thread; the bytes live during the call only.
    public func read(
        _ range: Range<UInt64>, completion: @escaping @Sendable (Result<UnsafeRawBufferPointer, FetchError>) -> Void
    ) {
        let range = range.clamped(to: 0..<size)
        guard !range.isEmpty else {
            completion(.success(UnsafeRawBufferPointer(start: nil, count: 0)))
            return
        }
        let part = range.lowerBound..<(range.lowerBound + min(Self.longestRead, range.upperBound - range.lowerBound))
        counters.parkedReads.count()
        ParkedRead(part, of: self, counters: counters, completion: completion).start(loader)
        // Only now: what somebody waits for goes before what somebody may want.
        noteRead(part, isLocal: false)
    }
}

extension UInt64 {
    /// Undoes a wrapped addition: the largest number instead of one below the start.
    fileprivate func clamped(from start: UInt64) -> UInt64 { self < start ? .max : self }
}
