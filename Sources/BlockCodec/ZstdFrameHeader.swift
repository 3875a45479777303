/// The header of a Zstandard frame, read by hand, since libzstd tells the window only through an unstable interface.
///
/// RFC 8878, section 3.1.1.1.
struct ZstdFrameHeader: Equatable {
    /// The plain bytes that the frame declares; nil when it does not say.
    let contentSize: UInt64?
    /// The memory that a streaming decoder would need.
    let windowSize: UInt64
    let usesDictionary: Bool

    /// Nil when the bytes do not begin with a whole, valid header of a frame.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = bytes[...]
        guard Self.number(&reader, 4) == 0xfd2f_b528, let descriptor = Self.number(&reader, 1) else { return nil }
        // Bit 3 is reserved and must be zero.
        guard descriptor & 0x08 == 0 else { return nil }
        let isSingleSegment = descriptor & 0x20 != 0

        var window: UInt64?
        if !isSingleSegment {
            guard let byte = Self.number(&reader, 1) else { return nil }
            // At most 2^41 + 7 * 2^38: no overflow.
            let base = UInt64(1) << (10 + (byte >> 3))
            window = base + base / 8 * (byte & 7)
        }

        guard let dictionary = Self.number(&reader, [0, 1, 2, 4][Int(descriptor & 3)]) else { return nil }
        usesDictionary = dictionary != 0

        switch descriptor >> 6 {
        case 0 where !isSingleSegment:
            contentSize = nil
        case 0:
            guard let size = Self.number(&reader, 1) else { return nil }
            contentSize = size
        case 1:
            guard let size = Self.number(&reader, 2) else { return nil }
            contentSize = size + 256
        case 2:
            guard let size = Self.number(&reader, 4) else { return nil }
            contentSize = size
        default:
            guard let size = Self.number(&reader, 8) else { return nil }
            contentSize = size
        }
        windowSize = window ?? contentSize ?? 0
    }

    /// Takes a little-endian number of `count` bytes, at most 8, off the front.
    private static func number(_ reader: inout Slice<UnsafeRawBufferPointer>, _ count: Int) -> UInt64? {
        guard reader.count >= count else { return nil }
        var value: UInt64 = 0
        for byte in reader.prefix(count).reversed() { value = value << 8 | UInt64(byte) }
        reader = reader.dropFirst(count)
        return value
    }
}
