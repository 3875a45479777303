public import Support

/// A range of block ids by their leading bytes, inclusive at both ends.
///
/// rfs routes by the first byte; router.yaml of 0-fs by any number of leading bytes.
public struct RouteRange: Sendable, Hashable, CustomStringConvertible {
    public let first: [UInt8]
    /// As many bytes as `first`.
    public let last: [UInt8]

    /// Every id.
    public static let all = RouteRange(unchecked: [0], [255])

    private init(unchecked first: [UInt8], _ last: [UInt8]) {
        self.first = first
        self.last = last
    }

    /// Throws `invalid` unless both have the same number of bytes, 1 to 32, and `first` is not behind `last`.
    public init(first: [UInt8], last: [UInt8]) throws(FlistError) {
        let text = "\(Hex.encode(first))-\(Hex.encode(last))"
        guard first.count == last.count, (1...32).contains(first.count) else {
            throw FlistError(.invalid, "the range \(text) needs the same number of digits on both sides, at most 64")
        }
        guard !last.lexicographicallyPrecedes(first) else {
            throw FlistError(.invalid, "the range \(text) ends before it starts")
        }
        self.init(unchecked: first, last)
    }

    /// Reads `xx-yy`, `xx:yy` or `xx` (a prefix), hex of either case.
    ///
    /// An odd number of digits gets a 0 behind, as in 0-fs: `000:FFF` is 0000 to fff0.
    public init(parsing text: String) throws(FlistError) {
        let sides = text.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == ":" }
        let bytes = sides.compactMap { side in Hex.decode(side.utf8.count % 2 == 0 ? String(side) : side + "0") }
        guard (1...2).contains(sides.count), bytes.count == sides.count, let first = bytes.first, let last = bytes.last,
            !first.isEmpty, !last.isEmpty
        else {
            throw FlistError(
                .invalid, "\"\(text.prefix(80))\" is no range of block ids; write hex digits, as in 00-7f or a0")
        }
        try self.init(first: first, last: last)
    }

    /// True when the id's leading bytes are in the range. An id shorter than the range's ends is not.
    public func contains(_ id: Digest) -> Bool {
        id.withBytes { bytes in
            guard bytes.count >= first.count else { return false }
            let prefix = bytes.prefix(first.count)
            return !prefix.lexicographicallyPrecedes(first) && !last.lexicographicallyPrecedes(prefix)
        }
    }

    public var description: String { "\(Hex.encode(first))-\(Hex.encode(last))" }
}
