internal import CZstd

/// Zstandard blocks: exactly one frame, with its content size in the header, without a dictionary.
enum Zstd {
    /// The most bytes that `plain` bytes can be compressed to.
    static func maximumLength(_ plain: Int) -> Int { ZSTD_compressBound(plain) }

    /// Refuses what is not exactly one frame of `plainLength` bytes. Reads only headers, allocates nothing.
    static func check(_ compressed: UnsafeRawBufferPointer, plainLength: Int) throws(CodecError) {
        guard let header = ZstdFrameHeader(compressed) else { throw .damaged("zstd: no frame") }
        guard let contentSize = header.contentSize else { throw .damaged("zstd: no content size") }
        guard !header.usesDictionary else { throw .damaged("zstd: needs a dictionary") }
        try CodecError.check(declared: contentSize, expected: plainLength)
        guard header.windowSize <= UInt64(plainLength) else {
            throw .tooLarge(declared: Int(clamping: header.windowSize), limit: plainLength)
        }
        let length = ZSTD_findFrameCompressedSize(compressed.baseAddress, compressed.count)
        guard ZSTD_isError(length) == 0 else { throw .damaged("zstd: broken frame") }
        guard length == compressed.count else { throw .damaged("zstd: bytes after the frame") }
    }
}

/// Decompresses Zstandard blocks with one context, which is made at the first use. Not thread-safe.
struct ZstdDecompressor: ~Copyable {
    private var context: OpaquePointer?

    deinit { ZSTD_freeDCtx(context) }

    /// Decompresses into exactly `plain.count` bytes.
    mutating func decompress(
        _ compressed: UnsafeRawBufferPointer, into plain: UnsafeMutableRawBufferPointer
    ) throws(CodecError) {
        try Zstd.check(compressed, plainLength: plain.count)
        if context == nil { context = ZSTD_createDCtx() }
        // Decompression in one step uses the output as its window: no memory besides the context.
        let length = ZSTD_decompressDCtx(
            context, plain.baseAddress, plain.count, compressed.baseAddress, compressed.count)
        guard ZSTD_isError(length) == 0 else {
            throw .damaged("zstd: \(String(cString: ZSTD_getErrorName(length)))")
        }
        guard length == plain.count else { throw .wrongLength(found: length, expected: plain.count) }
    }
}

/// Compresses Zstandard blocks with one context, which is made at the first use. Not thread-safe.
struct ZstdCompressor: ~Copyable {
    private var context: OpaquePointer?
    private let level: Int32

    /// Levels outside libzstd's range count as the nearest.
    init(level: Int32) { self.level = level }

    deinit { ZSTD_freeCCtx(context) }

    /// Compresses into `compressed`, which must have room for `Zstd.maximumLength`, and answers the length.
    mutating func compress(
        _ plain: UnsafeRawBufferPointer, into compressed: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        if context == nil {
            context = ZSTD_createCCtx()
            // The content size is in the header by default when compressing in one step.
            _ = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        }
        let length = ZSTD_compress2(
            context, compressed.baseAddress, compressed.count, plain.baseAddress, plain.count)
        guard ZSTD_isError(length) == 0 else {
            throw .damaged("zstd: \(String(cString: ZSTD_getErrorName(length)))")
        }
        return length
    }
}
