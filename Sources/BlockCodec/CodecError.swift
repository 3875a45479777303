/// Why stored bytes did not become the block that was asked for.
public enum CodecError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The stored bytes do not have the hash that the block's id is.
    case wrongID
    /// Decryption failed its own check: the key is wrong or the bytes were forged.
    case wrongKey
    /// The compressed form is broken; the text says how.
    case damaged(String)
    /// More is declared than a block may hold. Bytes.
    case tooLarge(declared: Int, limit: Int)
    /// The plain bytes are not as many as the flist says. Bytes.
    case wrongLength(found: Int, expected: Int)
    /// The plain bytes do not have the hash that the block's key is.
    case wrongContent

    public var description: String {
        switch self {
        case .wrongID: "the stored bytes do not match the block's id"
        case .wrongKey: "the stored bytes cannot be decrypted with the block's key"
        case .damaged(let how): "the compressed data is damaged (\(how))"
        case .tooLarge(let declared, let limit): "\(declared) bytes are declared, at most \(limit) are allowed"
        case .wrongLength(let found, let expected): "\(found) bytes were found, \(expected) were expected"
        case .wrongContent: "the plain bytes do not match the block's key"
        }
    }
}
