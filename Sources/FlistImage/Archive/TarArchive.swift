internal import CArchive
internal import Glibc
internal import Support

/// The members of a tar file, one after the other. Not thread-safe.
final class TarArchive {
    private let source: DecompressedFile
    private let archive: OpaquePointer
    /// The member that `next` answered last; its fields are valid until the next call.
    private(set) var entry: OpaquePointer?
    private var isOpen = false

    /// pax headers hold UTF-8, which libarchive converts to the thread's locale and spoils when that is "C".
    // Made once and never changed or freed.
    nonisolated(unsafe) private static let utf8: locale_t? = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)

    init(_ file: consuming FileDescriptor, limit: ArchiveLimit) throws(DatabaseError) {
        source = try DecompressedFile(file, limit: limit)
        guard let archive = archive_read_new() else { throw DatabaseError("no memory") }
        self.archive = archive
        archive_read_support_filter_none(archive)
        archive_read_support_format_tar(archive)
        archive_read_support_format_empty(archive)
    }

    deinit { archive_read_free(archive) }

    /// Goes to the next member; false at the end.
    func next() throws(DatabaseError) -> Bool {
        let before = uselocale(Self.utf8)
        defer { uselocale(before) }
        if !isOpen {
            // The source lives as long as this archive, which is freed first.
            let context = Unmanaged.passUnretained(source).toOpaque()
            let code = archive_read_open2(
                archive, context, nil,
                { _, context, buffer in
                    guard let context else { return -1 }
                    let source = Unmanaged<DecompressedFile>.fromOpaque(context).takeUnretainedValue()
                    guard let bytes = source.next() else { return -1 }
                    buffer?.pointee = bytes.baseAddress
                    return bytes.count
                }, nil, nil)
            guard code == ARCHIVE_OK else { throw error }
            isOpen = true
        }
        entry = nil
        switch archive_read_next_header(archive, &entry) {
        case ARCHIVE_OK, ARCHIVE_WARN: return entry != nil
        case ARCHIVE_EOF: return false
        default: throw error
        }
    }

    /// Reads the member's content on, holes as zeros; answers the bytes read, 0 at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatabaseError) -> Int {
        let count = archive_read_data(archive, buffer.baseAddress, buffer.count)
        guard count >= 0 else { throw error }
        return count
    }

    private var error: DatabaseError {
        DatabaseError(source.failure ?? DecompressedFile.message(archive))
    }
}
