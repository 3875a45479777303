internal import Glibc
internal import Support

/// Writes the sections of an index one after another, and the header last.
struct IndexFileWriter: ~Copyable {
    private let file: FileDescriptor
    private let name: String
    // 1 MiB: 80 writes for 1,000,000 entries, and it stays in the processor's cache.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    private var fill = 0
    /// Where `buffer` goes in the file.
    private var flushed = UInt64(TreeIndexLayout.headerLength)
    private var sections: [SectionRecord] = []
    private var sectionStart = UInt64(TreeIndexLayout.headerLength)
    private var checksum = XXH3.Stream()

    init(_ file: consuming FileDescriptor, name: String) {
        self.file = file
        self.name = name
    }

    deinit { buffer.deallocate() }

    @inline(__always)
    mutating func append<Record: BitwiseCopyable>(_ record: Record) throws(FlistError) {
        let length = MemoryLayout<Record>.stride
        if buffer.count - fill < length { try flush() }
        buffer.storeBytes(of: record, toByteOffset: fill, as: Record.self)
        fill += length
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FlistError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if fill == buffer.count { try flush() }
            let part = rest.prefix(buffer.count - fill)
            UnsafeMutableRawBufferPointer(rebasing: buffer[fill...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
            fill += part.count
            rest = rest.dropFirst(part.count)
        }
    }

    mutating func append<Element: BitwiseCopyable>(_ elements: [Element]) throws(FlistError) {
        // The closure of the standard function is rethrowing, ours is typed: carry the error out.
        var failure: FlistError?
        elements.withUnsafeBytes { bytes in
            do throws(FlistError) { try append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Ends a section; the next one of `TreeIndexLayout.Section` begins.
    mutating func endSection() throws(FlistError) {
        let length = flushed + UInt64(fill) - sectionStart
        while fill % 8 != 0 { try append(UInt8(0)) }
        try flush()
        sections.append(SectionRecord(offset: sectionStart, length: length, checksum: checksum.digest()))
        checksum.reset()
        sectionStart = flushed
    }

    private mutating func flush() throws(FlistError) {
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<fill])
        checksum.update(bytes)
        try write(bytes, at: flushed)
        flushed += UInt64(fill)
        fill = 0
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FlistError) {
        do throws(Errno) {
            try file.write(bytes, at: offset)
        } catch {
            throw FlistError("cannot write index \(name)", errno: error)
        }
    }

    /// Writes the header and gives the file back; `synced` waits until all of it is on disk.
    consuming func finish(_ summary: TreeSummary, synced: Bool) throws(FlistError) -> FileDescriptor {
        let header = UnsafeMutableRawBufferPointer(rebasing: buffer[..<TreeIndexLayout.headerLength])
        header.initializeMemory(as: UInt8.self, repeating: 0)
        header.storeBytes(of: HeaderRecord(summary, fileLength: flushed), as: HeaderRecord.self)
        for (number, section) in sections.enumerated() {
            let offset = TreeIndexLayout.sectionTableOffset + number * MemoryLayout<SectionRecord>.stride
            header.storeBytes(of: section, toByteOffset: offset, as: SectionRecord.self)
        }
        let covered = UnsafeRawBufferPointer(rebasing: header[..<TreeIndexLayout.checksumOffset])
        header.storeBytes(of: XXH3.hash(covered), toByteOffset: TreeIndexLayout.checksumOffset, as: UInt64.self)
        try write(UnsafeRawBufferPointer(header), at: 0)
        do throws(Errno) {
            let number = file.number
            if synced { _ = try systemCall { fdatasync(number) } }
            return try file.duplicate()
        } catch {
            throw FlistError("cannot write index \(name)", errno: error)
        }
    }
}
