internal import CArchive
internal import Glibc
internal import Support

/// The bytes of a file without its compression (gzip, zstd, xz, bzip2, lzma, lz4, compress, or none), as a stream.
///
/// Decompression is apart from the reading of the tar format so that every byte that comes out is counted: libarchive
/// alone skips over members of any declared length without a word. Not thread-safe.
final class DecompressedFile {
    private let file: FileDescriptor
    private let archive: OpaquePointer
    private let limit: ArchiveLimit
    private var output: UInt64 = 0
    /// Why the last read failed.
    private(set) var failure: String?

    /// Opens the file through its descriptor, whose offset is moved.
    init(_ file: consuming FileDescriptor, limit: ArchiveLimit) throws(DatabaseError) {
        guard let archive = archive_read_new() else { throw DatabaseError("no memory") }
        self.archive = archive
        self.limit = limit
        self.file = file
        lseek(self.file.number, 0, SEEK_SET)
        archive_read_support_filter_none(archive)
        archive_read_support_filter_gzip(archive)
        archive_read_support_filter_bzip2(archive)
        archive_read_support_filter_xz(archive)
        archive_read_support_filter_lzma(archive)
        archive_read_support_filter_zstd(archive)
        archive_read_support_filter_lz4(archive)
        archive_read_support_filter_compress(archive)
        archive_read_support_format_raw(archive)
        archive_read_support_format_empty(archive)
        guard archive_read_open_fd(archive, self.file.number, 256 << 10) == ARCHIVE_OK else {
            throw DatabaseError(Self.message(archive))
        }
        // One compression and the file itself. More could multiply the work without any output to count.
        guard archive_filter_count(archive) <= 2 else { throw DatabaseError("is compressed more than once") }
        var entry: OpaquePointer?
        let code = archive_read_next_header(archive, &entry)
        guard code == ARCHIVE_OK || code == ARCHIVE_EOF else { throw DatabaseError(Self.message(archive)) }
    }

    deinit { archive_read_free(archive) }

    /// The next bytes, valid until the next call; empty at the end. Nil on failure, see `failure`.
    func next() -> UnsafeRawBufferPointer? {
        guard failure == nil else { return nil }
        var bytes: UnsafeRawPointer?
        var count = 0
        var offset: Int64 = 0
        let code = archive_read_data_block(archive, &bytes, &count, &offset)
        if code == ARCHIVE_EOF { return UnsafeRawBufferPointer(start: nil, count: 0) }
        guard code >= ARCHIVE_WARN else {
            failure = Self.message(archive)
            return nil
        }
        output += UInt64(count)
        guard limit.allows(output: output, input: UInt64(max(0, archive_filter_bytes(archive, -1)))) else {
            failure = "unpacks to more than \(ByteCount(min(output, limit.output))), far more than its size allows"
            return nil
        }
        return UnsafeRawBufferPointer(start: bytes, count: count)
    }

    /// libarchive's sentence for the last failure, on one line.
    static func message(_ archive: OpaquePointer) -> String {
        guard let text = archive_error_string(archive) else { return "is damaged" }
        return String(
            String(cString: text).unicodeScalars.prefix(200).map {
                $0.value < 32 || $0.value == 127 ? " " : Character($0)
            })
    }
}
