internal import BlockCodec
internal import Support

/// What workers have to do. The scanner adds, and waits while there is too much. Thread-safe.
final class PackQueue: Sendable {
    enum Job: Sendable {
        /// Files to be opened, one after another.
        case open([Waiting])
        /// Some blocks of a file.
        case part(OpenFile, Range<Int>)
        /// Some blocks' bytes.
        case blocks([Block])
    }

    /// A file that is not open yet. It alone holds its directory open: a tree may have more of them than there are descriptors.
    struct Waiting: Sendable {
        let file: PackFile
        let directory: OpenDirectory
    }

    /// A block of a file that comes as a stream.
    struct Block: Sendable {
        let file: PackFile
        let index: Int
        let bytes: BlockBuffer
    }

    fileprivate struct State {
        // What was taken leaves a gap that is closed now and then.
        var files: [[Waiting]] = []
        var firstFiles = 0
        var blocks: [Block?] = []
        var firstBlock = 0
        var blockBytes = 0
        /// Files of which parts have yet to be given out, and where the next begins.
        var parts: [(file: OpenFile, next: Int)] = []
        /// Workers that are about to add parts, perhaps.
        var opening = 0
        var isClosed = false
        var isAborted = false
    }

    /// Blocks of one job: 4 MiB, enough for the kernel to read ahead.
    static let blocksPerPart = 8
    /// Files are handed over by so many: each time costs as much as reading a small one. Not more, since each waiting
    /// file holds its directory open.
    static let filesPerJob = 16
    private static let jobLimit = 32
    private static let byteLimit = 32 << 20

    private let state = Monitor(State())

    /// Adds some files; false when packing has been given up.
    func add(_ files: [Waiting]) -> Bool {
        let isTaken = state.wait { state -> Bool? in
            if state.isAborted { return false }
            guard state.files.count - state.firstFiles < Self.jobLimit else { return nil }
            state.files.append(files)
            return true
        }
        state.broadcast()
        return isTaken
    }

    /// Adds a block; false when packing has been given up.
    func add(_ file: PackFile, _ index: Int, _ bytes: BlockBuffer) -> Bool {
        let isTaken = state.wait { state -> Bool? in
            if state.isAborted { return false }
            guard state.blockBytes == 0 || state.blockBytes + bytes.count <= Self.byteLimit else { return nil }
            state.blocks.append(Block(file: file, index: index, bytes: bytes))
            state.blockBytes += bytes.count
            return true
        }
        state.broadcast()
        return isTaken
    }

    /// Gives a file of several parts to all workers. For who does an `open` job.
    func add(partsOf file: OpenFile) {
        state.withLock { $0.parts.append((file, 0)) }
        state.broadcast()
    }

    /// Ends an `open` job.
    func opened() {
        state.withLock { $0.opening -= 1 }
        state.broadcast()
    }

    /// No more is going to be added.
    func close() {
        state.withLock { $0.isClosed = true }
        state.broadcast()
    }

    /// Drops everything; workers and scanner end.
    func abort() {
        state.withLock { state in
            state.isAborted = true
            state.parts = []
            state.blocks = []
            state.firstBlock = 0
        }
        state.broadcast()
    }

    /// The next job; nil when there will be none any more.
    func next() -> Job? {
        let job = state.wait { state -> Job?? in
            if state.isAborted { return .some(nil) }
            if let job = state.take() { return .some(job) }
            return state.isClosed && state.opening == 0 ? .some(nil) : nil
        }
        if job != nil { state.broadcast() }
        return job
    }
}

extension PackQueue.State {
    fileprivate mutating func take() -> PackQueue.Job? {
        if let last = parts.indices.last {
            let start = parts[last].next
            let file = parts[last].file
            let end = min(start + PackQueue.blocksPerPart, file.blockCount)
            parts[last].next = end
            if end == file.blockCount { parts.removeLast() }
            return .part(file, start..<end)
        }
        if firstBlock < blocks.count {
            var size = PackBatch.Size()
            var taken: [PackQueue.Block] = []
            while firstBlock < blocks.count, let block = blocks[firstBlock],
                size.add(block.bytes.count) || taken.isEmpty
            {
                taken.append(block)
                blocks[firstBlock] = nil
                firstBlock += 1
                blockBytes -= block.bytes.count
            }
            if firstBlock == blocks.count || firstBlock > 256 {
                blocks.removeFirst(firstBlock)
                firstBlock = 0
            }
            return .blocks(taken)
        }
        if firstFiles < files.count {
            let job = files[firstFiles]
            files[firstFiles] = []
            firstFiles += 1
            if firstFiles == files.count || firstFiles > 64 {
                files.removeFirst(firstFiles)
                firstFiles = 0
            }
            opening += 1
            return .open(job)
        }
        return nil
    }
}

extension PackQueue {
    /// The number of parts that a file of so many blocks is given out in.
    static func partCount(blocks: Int) -> Int { (blocks + blocksPerPart - 1) / blocksPerPart }
}
