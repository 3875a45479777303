internal import CSnappy

/// Snappy's raw block format: a length and elements, without the framing of `.sz` files.
///
/// The format: google/snappy, format_description.txt. All calls are stateless.
enum Snappy {
    /// The most bytes that `plain` bytes can be compressed to.
    static func maximumLength(_ plain: Int) -> Int { snappy_max_compressed_length(plain) }

    /// Decompresses into exactly `plain.count` bytes; a length that differs is refused before anything is written.
    static func decompress(
        _ compressed: UnsafeRawBufferPointer, into plain: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        guard let source = compressed.baseAddress, let target = plain.baseAddress, !compressed.isEmpty else {
            throw .damaged("snappy: empty")
        }
        let input = source.assumingMemoryBound(to: CChar.self)
        var declared = 0
        guard snappy_uncompressed_length(input, compressed.count, &declared) == SNAPPY_OK else {
            throw .damaged("snappy: no valid length")
        }
        try CodecError.check(declared: UInt64(declared), expected: plain.count)
        var length = plain.count
        let status = snappy_uncompress(input, compressed.count, target.assumingMemoryBound(to: CChar.self), &length)
        guard status == SNAPPY_OK, length == plain.count else { throw .damaged("snappy: broken elements") }
    }

    /// Compresses into `compressed`, which must have room for `maximumLength`, and answers the length.
    static func compress(
        _ plain: UnsafeRawBufferPointer, into compressed: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        guard let source = plain.baseAddress, let target = compressed.baseAddress else {
            throw .damaged("snappy: empty")
        }
        var length = compressed.count
        let status = snappy_compress(
            source.assumingMemoryBound(to: CChar.self), plain.count,
            target.assumingMemoryBound(to: CChar.self), &length)
        guard status == SNAPPY_OK else { throw .damaged("snappy: cannot compress") }
        return length
    }
}
