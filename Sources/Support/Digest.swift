/// A hash of 16 or 32 bytes, held inline: a block's id or key, a content's or a flist's name.
///
/// Bytes past `count` are zero, so equality and hashing look at all four words.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
    /// 16 or 32.
    public let count: Int
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// 16 zero bytes.
    public static let zero = Digest()

    private init() { count = 16 }

    /// Copies the bytes; nil unless there are 16 or 32.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 || bytes.count == 32 else { return nil }
        count = bytes.count
        withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: bytes) }
    }

    /// Copies the bytes; nil unless there are 16 or 32.
    public init?(_ bytes: [UInt8]) {
        guard let digest = bytes.withUnsafeBytes({ Digest($0) }) else { return nil }
        self = digest
    }

    /// Reads 32 or 64 hexadecimal digits.
    public init?(hex: String) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes)
    }

    /// The first byte: what routes are chosen by.
    public var first: UInt8 { withBytes { $0[0] } }

    /// Lends the bytes.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let count = count
        return try Swift.withUnsafeBytes(of: words) { all throws(Failure) in
            try body(UnsafeRawBufferPointer(rebasing: all[..<count]))
        }
    }

    public var bytes: [UInt8] { withBytes { [UInt8]($0) } }

    /// Lower-case hexadecimal digits.
    public var description: String { withBytes { Hex.encode($0) } }

    public static func == (a: Digest, b: Digest) -> Bool {
        a.count == b.count && a.words == b.words
    }

    public func hash(into hasher: inout Hasher) {
        // Already uniform: one word is enough to choose a bucket.
        hasher.combine(words.0)
    }
}
