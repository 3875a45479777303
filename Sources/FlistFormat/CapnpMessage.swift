/// A Cap'n Proto message in stream framing, unpacked: the segment table, then the segments.
///
/// Nothing in it is trusted: every pointer is checked against its segment, and the words that may be visited are
/// bounded by the length of the message, so that pointers to the same bytes cannot multiply the work. Bytes that
/// follow the last segment are ignored, as the reference implementation does.
/// Not thread-safe: reading spends the message's budget.
/// Facts: https://capnproto.org/encoding.html.
public final class CapnpMessage {
    struct Segment {
        /// Byte at which the segment starts.
        let start: Int
        /// Length in words of 8 bytes.
        let words: Int
    }

    /// Nesting that the records of a flist never come near (they have six levels).
    static let maximumDepth = 32
    /// Honest messages are visited once, and the records read a few pointers twice.
    static let visitsPerWord = 4

    let bytes: [UInt8]
    let segments: [Segment]
    private var budget: Int

    /// Reads the segment table of a message.
    ///
    /// The number of segments is bounded by the length of the message alone: genuine directories have had 201.
    /// - Throws: `FormatError.malformed` when the table or a segment does not lie inside `bytes`.
    public init(_ bytes: [UInt8]) throws(FormatError) {
        guard bytes.count >= 8 else { throw .malformed("shorter than a segment table") }
        let count = Int(Self.uint32(bytes, at: 0)) + 1
        // One word of 4 bytes for the count and for each length, padded to 8.
        let table = (4 + count * 4 + 7) / 8 * 8
        guard table <= bytes.count else { throw .malformed("its table of \(count) segments does not fit") }
        var segments: [Segment] = []
        segments.reserveCapacity(count)
        var start = table
        for index in 0..<count {
            let words = Int(Self.uint32(bytes, at: 4 + index * 4))
            guard words <= (bytes.count - start) / 8 else {
                throw .malformed("segment \(index) of \(words) words reaches past the end")
            }
            segments.append(Segment(start: start, words: words))
            start += words * 8
        }
        self.bytes = bytes
        self.segments = segments
        budget = (start - table) / 8 * Self.visitsPerWord + 64
    }

    /// The struct that the first word of the first segment points to; empty when that word is null.
    public func root() throws(FormatError) -> CapnpStruct {
        guard let first = segments.first, first.words >= 1 else { throw .malformed("has no root") }
        return try readStruct(segment: 0, word: 0, depth: 0)
    }

    /// Takes `words` from what may still be visited.
    func spend(_ words: Int) throws(FormatError) {
        guard words <= budget else { throw .tooMuchWork }
        budget -= words
    }

    /// The word of a segment, which must exist.
    func word(segment: Int, at word: Int) throws(FormatError) -> UInt64 {
        guard segment >= 0, segment < segments.count, word >= 0, word < segments[segment].words else {
            throw .malformed("a pointer leaves its segment")
        }
        return Self.uint64(bytes, at: segments[segment].start + word * 8)
    }

    /// Reads 8 bytes that the caller has checked to be there.
    static func uint64(_ bytes: [UInt8], at offset: Int) -> UInt64 {
        UInt64(uint32(bytes, at: offset)) | UInt64(uint32(bytes, at: offset + 4)) << 32
    }

    static func uint32(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
            | UInt32(bytes[offset + 3]) << 24
    }
}
