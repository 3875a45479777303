internal import BlockCodec
internal import CLinux
internal import FlistImage
internal import Glibc
internal import Support
internal import Synchronization

/// Reads files and turns them into blocks: one per thread, with an encoder of its own.
struct PackWorker: ~Copyable {
    private let shared: PackShared
    private var encoder: BlockEncoder
    private var batch: PackBatch
    /// A fifo that has taken a file's name must not make this wait; what only reads need not leave a trace.
    private let flags = O_RDONLY | O_NONBLOCK | (geteuid() == 0 ? linux_o_noatime : 0)

    init(_ shared: PackShared) {
        self.shared = shared
        encoder = BlockEncoder(codec: shared.codec, level: shared.level)
        batch = PackBatch(blockSize: shared.blockSize)
    }

    /// Works until there is nothing more to do.
    mutating func run() {
        while let job = shared.queue.next() {
            do throws(FlistError) {
                switch job {
                case .open(let files):
                    defer { shared.queue.opened() }
                    for file in files { try open(file) }
                    try flush()
                case .part(let file, let range):
                    try read(file, range)
                    try flush()
                case .blocks(let blocks):
                    try withExtendedLifetime(blocks) { () throws(FlistError) in
                        try encode(
                            blocks.map { PackBatch.Block(file: $0.file, index: $0.index, bytes: $0.bytes.bytes) })
                    }
                }
            } catch {
                shared.give(up: error)
            }
        }
    }

    // MARK: Files

    private mutating func open(_ waiting: PackQueue.Waiting) throws(FlistError) {
        let file = waiting.file
        let open: OpenFile
        do throws(Errno) {
            guard let opened = try self.open(file, in: waiting.directory) else {
                // Something else bears the name now.
                file.lose()
                return shared.journal.vanished(file.path)
            }
            open = opened
        } catch {
            file.lose()
            return shared.journal.lost(file.path, "cannot open it", error)
        }
        guard open.blockCount > 0 else { return }
        let count = PackQueue.partCount(blocks: open.blockCount)
        file.state.withLock { $0.pending = count }
        if count > 1 { shared.queue.add(partsOf: open) } else { try read(open, 0..<open.blockCount) }
    }

    /// Nil when it is no regular file any more.
    private func open(_ file: PackFile, in directory: OpenDirectory) throws(Errno) -> OpenFile? {
        let descriptor = try directory.openEntry(file.name, flags)
        let status = try FileStatus.of(descriptor.number)
        guard status.type == .regular else { return nil }
        let xattrs = try XattrReader.of(descriptor.number)
        guard let count = shared.blockCount(status.size) else { throw .fileTooLarge }
        file.state.withLock { state in
            state.attributes = status
            state.xattrs = xattrs
            state.size = status.size
            state.blocks = [UInt32](repeating: PackFile.hole, count: count)
        }
        return OpenFile(file, descriptor, status, blockCount: count)
    }

    /// Reads some blocks into the batch.
    private mutating func read(_ open: OpenFile, _ range: Range<Int>) throws(FlistError) {
        var failure: Errno?
        for index in range {
            let offset = UInt64(index) * UInt64(shared.blockSize)
            let length = Int(min(UInt64(shared.blockSize), open.status.size - offset))
            if open.mayHaveHoles, shared.keepsHoles, Self.isHole(open, offset, length) {
                shared.count(length)
                continue
            }
            let buffer = try room(length)
            do throws(Errno) {
                let count = try open.descriptor.read(into: buffer, at: offset)
                guard count == length else {
                    open.file.state.withLock { $0.wasShort = true }
                    break
                }
            } catch {
                failure = error
                break
            }
            batch.add(open.file, index, buffer)
        }
        batch.add(PackBatch.Part(file: open, failure: failure))
    }

    /// After the blocks of a part were encoded: whoever is the last of a file looks whether it has changed meanwhile.
    private mutating func finish(_ part: PackBatch.Part) throws(FlistError) {
        let file = part.file.file
        if let failure = part.failure {
            let isFirst = file.state.withLock { state in
                defer { state.isLost = true }
                return !state.isLost
            }
            if isFirst { shared.journal.failed(file.path, "cannot read it: \(failure)") }
        }
        let isLast = file.state.withLock { state in
            state.pending -= 1
            return state.pending == 0 && !state.isLost
        }
        if isLast { try check(part.file) }
    }

    private static func isHole(_ open: OpenFile, _ offset: UInt64, _ length: Int) -> Bool {
        let number = open.descriptor.number
        let data = lseek(number, off_t(offset), linux_seek_data)
        // ENXIO: no data from here to the end.
        if data < 0 { return errno == ENXIO }
        return UInt64(data) >= offset + UInt64(length)
    }

    /// A file that was changed while it was read is read once more, from one end to the other.
    private mutating func check(_ open: OpenFile) throws(FlistError) {
        let file = open.file
        let wasShort = file.state.withLock { $0.wasShort }
        do throws(Errno) {
            var before = try FileStatus.of(open.descriptor.number)
            if !wasShort, before.hasSameContent(as: open.status) { return }
            let result = try readAgain(open, size: before.size)
            let after = try FileStatus.of(open.descriptor.number)
            let isSame = after.hasSameContent(as: before) && result.size == before.size
            before.size = result.size
            file.state.withLock { state in
                state.attributes = before
                state.size = result.size
                state.blocks = result.blocks
            }
            if let failure = result.failure { throw failure }
            if !isSame { shared.journal.changed(file.path) }
        } catch {
            file.lose()
            shared.journal.failed(file.path, "cannot read it: \(error)")
        }
        if let error = shared.journal.current.fatal { throw error }
    }

    private struct Content {
        var size: UInt64 = 0
        var blocks: [UInt32] = []
        var failure: Errno?
    }

    /// Reads to the end, but not beyond `size`: a growing file would never end.
    private mutating func readAgain(_ open: OpenFile, size: UInt64) throws(Errno) -> Content {
        var content = Content()
        while content.size < size {
            let length = Int(min(UInt64(shared.blockSize), size - content.size))
            // The batch is empty: its parts end after its blocks were encoded.
            guard let buffer = batch.room(length) else { throw .noMemory }
            let count = try open.descriptor.read(into: buffer, at: content.size)
            if count == 0 { break }
            do throws(FlistError) {
                content.blocks += try encode([UnsafeRawBufferPointer(rebasing: buffer[..<count])])
            } catch {
                shared.give(up: error)
                return content
            }
            content.size += UInt64(count)
            if count < length { break }
        }
        return content
    }

    // MARK: Blocks

    /// Memory for the next block of the batch.
    private mutating func room(_ length: Int) throws(FlistError) -> UnsafeMutableRawBufferPointer {
        if let room = batch.room(length) { return room }
        try flush()
        guard let room = batch.room(length) else {
            throw FlistError(.io, "a block of \(length) bytes is larger than one of \(shared.blockSize)")
        }
        return room
    }

    /// Encodes what was read, and ends the parts that were read to their end.
    private mutating func flush() throws(FlistError) {
        try encode(batch.blocks)
        for part in batch.empty() { try finish(part) }
    }

    private mutating func encode(_ blocks: [PackBatch.Block]) throws(FlistError) {
        let positions = try encode(blocks.map(\.bytes))
        for (block, position) in zip(blocks, positions) {
            block.file.set(block.index, block: position)
            shared.count(block.bytes.count)
        }
    }

    /// The blocks' positions in the table; those that are new are on their way to the stores.
    private mutating func encode(_ blocks: [UnsafeRawBufferPointer]) throws(FlistError) -> [UInt32] {
        let keys = BLAKE2b.hash(blocks.map { BLAKE2b.Input($0, shared.codec.digestLength) })
        var positions: [UInt32] = []
        var new: [(position: UInt32, plain: UnsafeRawBufferPointer, key: Digest)] = []
        for (bytes, key) in zip(blocks, keys) {
            guard let (position, isNew) = shared.table.claim(key, plainLength: bytes.count) else {
                throw BlockTable.full
            }
            positions.append(position)
            if isNew { new.append((position, bytes, key)) } else { shared.countRepeated(bytes.count) }
        }
        do throws(CodecError) {
            try encoder.encode(new.map { ($0.plain, $0.key) }) { [shared] number, reference, stored in
                shared.table.encoded(new[number].position, id: reference.id, storedLength: stored.count)
                shared.uploads.add(reference.id, stored)
            }
        } catch {
            throw FlistError(.io, "cannot encode blocks", cause: error)
        }
        return positions
    }
}
