internal import BlockCodec
internal import Glibc
public import Support
internal import Synchronization

/// The mapped file of a `TreeIndex`: checks its header and checksums, and finds its sections.
struct TreeIndexFile {
    let mapping: UnsafeRawBufferPointer
    let summary: TreeSummary
    private let sections: [SectionRecord]

    /// Maps the file; the mapping has no owner yet. Blocks while the file is read.
    ///
    /// - Parameter verifying: False only in tests that damage an index on purpose.
    init(_ file: borrowing FileDescriptor, name: String, verifying: Bool) throws(FlistError) {
        let mapping = try Self.map(file, name: name)
        do throws(Fault) {
            (summary, sections) = try Self.check(mapping, verifying: verifying)
        } catch {
            munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count)
            throw FlistError(.corrupt, "index \(name): \(error.reason); delete it, it is built again when needed")
        }
        self.mapping = mapping
    }

    func section(_ section: TreeIndexLayout.Section) -> MappedSection {
        let record = sections[section.rawValue]
        return MappedSection(
            UnsafeRawBufferPointer(rebasing: mapping[Int(record.offset)..<Int(record.offset + record.length)]))
    }

    private struct Fault: Error { let reason: String }

    private static func map(
        _ file: borrowing FileDescriptor, name: String
    ) throws(FlistError) -> UnsafeRawBufferPointer {
        var status = stat()
        let number = file.number
        do throws(Errno) {
            _ = try systemCall { fstat(number, &status) }
        } catch {
            throw FlistError("cannot examine index \(name)", errno: error)
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size >= TreeIndexLayout.headerLength else {
            throw FlistError(.corrupt, "index \(name): too short; delete it, it is built again when needed")
        }
        // MAP_POPULATE: all of it is read for the checksums anyway, and one call costs less than the page faults.
        let start = mmap(nil, status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, number, 0)
        guard let start, start != MAP_FAILED else {
            throw FlistError("cannot map index \(name)", errno: .current)
        }
        return UnsafeRawBufferPointer(start: start, count: status.st_size)
    }

    private static func check(
        _ bytes: UnsafeRawBufferPointer, verifying: Bool
    ) throws(Fault) -> (TreeSummary, [SectionRecord]) {
        let header = bytes.loadUnaligned(as: HeaderRecord.self)
        guard header.magic == TreeIndexLayout.magic else { throw Fault(reason: "not an index") }
        guard header.byteOrder == TreeIndexLayout.byteOrder else { throw Fault(reason: "of another byte order") }
        guard header.version == TreeIndexLayout.version else {
            throw Fault(reason: "of version \(header.version), not \(TreeIndexLayout.version)")
        }
        let headerBytes = UnsafeRawBufferPointer(rebasing: bytes[..<TreeIndexLayout.checksumOffset])
        let checksum = bytes.loadUnaligned(fromByteOffset: TreeIndexLayout.checksumOffset, as: UInt64.self)
        guard !verifying || XXH3.hash(headerBytes) == checksum else { throw Fault(reason: "damaged in its header") }
        guard header.fileLength == UInt64(bytes.count) else {
            throw Fault(reason: "\(bytes.count) bytes long, not \(header.fileLength)")
        }
        guard let summary = TreeSummary(header) else { throw Fault(reason: "damaged in its header") }
        return (summary, try sections(bytes, summary, verifying: verifying))
    }

    /// The section table; sections follow one another without gaps up to the end of the file.
    private static func sections(
        _ bytes: UnsafeRawBufferPointer, _ summary: TreeSummary, verifying: Bool
    ) throws(Fault) -> [SectionRecord] {
        var sections: [SectionRecord] = []
        var position = UInt64(TreeIndexLayout.headerLength)
        for section in TreeIndexLayout.Section.allCases {
            let offset = TreeIndexLayout.sectionTableOffset + section.rawValue * MemoryLayout<SectionRecord>.stride
            let record = bytes.loadUnaligned(fromByteOffset: offset, as: SectionRecord.self)
            guard record.offset == position, let length = TreeIndexLayout.padded(record.length),
                length <= UInt64(bytes.count) - position
            else { throw Fault(reason: "damaged in its table of sections") }
            position += length
            sections.append(record)
        }
        let inodes = sections[TreeIndexLayout.Section.inodes.rawValue].length
        guard position == UInt64(bytes.count), summary.entries >= 1,
            inodes == UInt64(summary.entries) * UInt64(MemoryLayout<InodeRecord>.stride)
        else { throw Fault(reason: "damaged in its table of sections") }
        if verifying, let section = damaged(bytes, sections) { throw Fault(reason: "damaged in its \(section)") }
        return sections
    }

    /// Bytes of a file from which on several threads check it: 1 ms of work for one.
    private static let worthThreads = 10 << 20

    /// The first section that does not match its checksum; the sections are shared out among the cores.
    private static func damaged(
        _ bytes: UnsafeRawBufferPointer, _ sections: [SectionRecord]
    ) -> TreeIndexLayout.Section? {
        let check = SectionCheck(bytes, sections)
        let helpers = bytes.count < worthThreads ? 0 : min(4, Processors.count) - 1
        // One that does not start is no loss but time.
        let threads = (0..<helpers).compactMap { _ in try? WorkerThread("index") { check.run() } }
        check.run()
        for thread in threads { thread.join() }
        return check.firstDamaged.withLock { $0 }.flatMap { TreeIndexLayout.Section(rawValue: $0) }
    }
}

/// Checks sections one after the other, on as many threads as call it.
private final class SectionCheck: Sendable {
    // Read only, and mapped for as long as the check runs.
    nonisolated(unsafe) private let bytes: UnsafeRawBufferPointer
    private let sections: [SectionRecord]
    /// Numbers of the sections, the largest first: the last to end then ends soon.
    private let order: [Int]
    private let next = Atomic(0)
    let firstDamaged = Mutex<Int?>(nil)

    init(_ bytes: UnsafeRawBufferPointer, _ sections: [SectionRecord]) {
        self.bytes = bytes
        self.sections = sections
        order = sections.indices.sorted { sections[$0].length > sections[$1].length }
    }

    func run() {
        while true {
            let turn = next.add(1, ordering: .relaxed).oldValue
            guard turn < order.count else { return }
            let number = order[turn]
            let begin = Int(sections[number].offset)
            // With the padding up to the next section.
            let end = number + 1 < sections.count ? Int(sections[number + 1].offset) : bytes.count
            let content = UnsafeRawBufferPointer(rebasing: bytes[begin..<end])
            guard XXH3.hash(content) != sections[number].checksum else { continue }
            firstDamaged.withLock { $0 = min($0 ?? number, number) }
        }
    }
}

extension TreeIndex {
    /// Opens an index and verifies all its checksums (about 10 GB/s for each of up to four cores, once the
    /// file is in memory).
    ///
    /// - Throws: `notFound`, `permission` or `io` when it cannot be opened; `corrupt` when it is not an index of this
    ///   version, is damaged or cut short.
    public static func open(_ path: String) throws(FlistError) -> TreeIndex {
        try open(path, verifying: true)
    }

    /// As `open`, but tests may leave the checksums unverified to see that no access leaves its bounds.
    package static func open(_ path: String, verifying: Bool) throws(FlistError) -> TreeIndex {
        let file: FileDescriptor
        do throws(Errno) {
            file = try FileDescriptor(path, O_RDONLY)
        } catch {
            throw FlistError("cannot open index \(path)", errno: error)
        }
        return try open(file, name: path, verifying: verifying)
    }

    static func open(
        _ file: borrowing FileDescriptor, name: String, verifying: Bool
    ) throws(FlistError) -> TreeIndex {
        let file = try TreeIndexFile(file, name: name, verifying: verifying)
        var reader = IndexMetadata.Reader(file.section(.metadata))
        guard let metadata = reader.metadata() else {
            munmap(UnsafeMutableRawPointer(mutating: file.mapping.baseAddress), file.mapping.count)
            throw FlistError(
                .corrupt, "index \(name): damaged in its metadata; delete it, it is built again when needed")
        }
        return TreeIndex(file, metadata: metadata)
    }
}
