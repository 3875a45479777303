internal import BlockCodec
internal import Glibc

/// The tree of a flist in an immutable, mapped file: attributes, names, blocks, link targets and xattrs.
///
/// Children of a directory have consecutive numbers and are sorted by name bytes. Safe from any thread, takes no lock,
/// and lookups allocate nothing. Every access is bounds-checked: with a damaged index (whose checksums `open` has
/// verified, so memory or disk failed later) answers are nil, never a crash. Nobody may truncate the file while it is
/// mapped; replacing it by rename is fine.
public final class TreeIndex: Sendable {
    /// The root directory.
    public static let root: InodeNumber = 1
    /// Two programs that have this in common give the entries of a flist the same numbers.
    public static let version = TreeIndexLayout.version

    /// Counts and sizes of the whole tree.
    public let summary: TreeSummary
    /// Keys and values in the flist's order; may hold secrets.
    public let tags: [(key: String, value: String)]
    public let routes: [ImageRoute]
    /// The `router.yaml` that came with the flist.
    public let routerYAML: [UInt8]?
    public let backend: ImageBackend?
    private let profileText: [UInt8]?

    // The mapping is read-only and lives until deinit; nothing ever writes to it, so any thread may read.
    nonisolated(unsafe) private let mapping: UnsafeRawBufferPointer
    nonisolated(unsafe) let inodeSection: MappedSection
    nonisolated(unsafe) let prefixSection: MappedSection
    nonisolated(unsafe) let nameSection: MappedSection
    nonisolated(unsafe) let targetSection: MappedSection
    nonisolated(unsafe) let blockSection: MappedSection
    nonisolated(unsafe) let xattrSetSection: MappedSection
    nonisolated(unsafe) let xattrSection: MappedSection
    nonisolated(unsafe) let xattrByteSection: MappedSection

    /// Takes ownership of a mapping that `TreeIndexFile` has checked.
    init(_ file: TreeIndexFile, metadata: IndexMetadata) {
        mapping = file.mapping
        summary = file.summary
        tags = metadata.tags
        routes = metadata.routes
        routerYAML = metadata.routerYAML
        backend = metadata.backend
        profileText = metadata.profile
        inodeSection = file.section(.inodes)
        prefixSection = file.section(.prefixes)
        nameSection = file.section(.names)
        targetSection = file.section(.targets)
        blockSection = file.section(.blocks)
        xattrSetSection = file.section(.xattrSets)
        xattrSection = file.section(.xattrs)
        xattrByteSection = file.section(.xattrBytes)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count) }

    /// What a reader of the flist wants first, as whoever made it says; empty when nothing is said.
    public var profile: [ProfileEntry] { profileText.flatMap { try? ProfileText.decode($0) } ?? [] }

    /// Bytes of the mapped file.
    public var byteCount: Int { mapping.count }

    /// The highest inode number; names of hard links have numbers of their own.
    public var lastNumber: InodeNumber { InodeNumber(truncatingIfNeeded: summary.entries) }

    /// The record of a name.
    @inline(__always)
    func record(_ number: InodeNumber) -> InodeRecord? {
        inodeSection.record(Int(number) - 1, as: InodeRecord.self)
    }

    /// The record that holds the inode of a name, and its number: another one for further names of hard links.
    @inline(__always)
    func inode(_ number: InodeNumber) -> (number: InodeNumber, record: InodeRecord)? {
        guard let record = record(number) else { return nil }
        guard record.flags & InodeRecord.furtherName != 0 else { return (number, record) }
        guard let first = InodeNumber(exactly: record.content), let target = self.record(first),
            target.flags & InodeRecord.furtherName == 0
        else { return nil }
        return (first, target)
    }
}
