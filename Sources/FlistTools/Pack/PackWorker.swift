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
    private let plain: UnsafeMutableRawBufferPointer
    /// A fifo that has taken a file's name must not make this wait; what only reads need not leave a trace.
    private let flags = O_RDONLY | O_NONBLOCK | (geteuid() == 0 ? linux_o_noatime : 0)

    init(_ shared: PackShared) {
        self.shared = shared
        encoder = BlockEncoder(codec: shared.codec, level: shared.level)
        plain = .allocate(byteCount: shared.blockSize, alignment: 4096)
    }

    deinit { plain.deallocate() }

    /// Works until there is nothing more to do.
    mutating func run() {
        while let job = shared.queue.next() {
            do throws(FlistError) {
                switch job {
                case .open(let files):
                    defer { shared.queue.opened() }
                    for file in files { try open(file) }
                case .part(let file, let range): try read(file, range)
                case .block(let file, let index, let bytes):
                    file.set(index, block: try encode(bytes.bytes))
                    shared.count(bytes.count)
                }
            } catch {
                shared.give(up: error)
            }
        }
    }

    // MARK: Files

    private mutating func open(_ file: PackFile) throws(FlistError) {
        guard case .folder(let directory, let name) = file.source else { return }
        let open: OpenFile
        do throws(Errno) {
            guard let opened = try self.open(file, directory, name) else {
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
    private func open(
        _ file: PackFile, _ directory: OpenDirectory, _ name: [UInt8]
    ) throws(Errno) -> OpenFile? {
        let descriptor = try directory.openEntry(name, flags)
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

    /// Reads some blocks; whoever reads the last part of a file looks whether it has changed meanwhile.
    private mutating func read(_ open: OpenFile, _ range: Range<Int>) throws(FlistError) {
        let file = open.file
        var failure: Errno?
        for index in range {
            let offset = UInt64(index) * UInt64(shared.blockSize)
            let length = Int(min(UInt64(shared.blockSize), open.status.size - offset))
            if open.mayHaveHoles, shared.keepsHoles, Self.isHole(open, offset, length) {
                shared.count(length)
                continue
            }
            do throws(Errno) {
                let buffer = UnsafeMutableRawBufferPointer(rebasing: plain[..<length])
                let count = try open.descriptor.read(into: buffer, at: offset)
                guard count == length else {
                    file.state.withLock { $0.wasShort = true }
                    break
                }
            } catch {
                failure = error
                break
            }
            file.set(index, block: try encode(UnsafeRawBufferPointer(rebasing: plain[..<length])))
            shared.count(length)
        }
        if let failure {
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
        if isLast { try check(open) }
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
            let buffer = UnsafeMutableRawBufferPointer(rebasing: plain[..<length])
            let count = try open.descriptor.read(into: buffer, at: content.size)
            if count == 0 { break }
            do throws(FlistError) {
                content.blocks.append(try encode(UnsafeRawBufferPointer(rebasing: plain[..<count])))
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

    /// The block's position in the table; one that is new is on its way to the stores.
    private mutating func encode(_ bytes: UnsafeRawBufferPointer) throws(FlistError) -> UInt32 {
        let key = BLAKE2b.hash(bytes, shared.codec.digestLength)
        guard let (position, isNew) = shared.table.claim(key, plainLength: bytes.count) else {
            throw BlockTable.full
        }
        guard isNew else {
            shared.countRepeated(bytes.count)
            return position
        }
        do throws(CodecError) {
            let (reference, stored) = try encoder.encode(bytes, key: key)
            shared.table.encoded(position, id: reference.id, storedLength: stored.count)
            shared.uploads.add(reference.id, stored)
        } catch {
            throw FlistError(.io, "cannot encode a block of \(bytes.count) bytes", cause: error)
        }
        return position
    }
}
