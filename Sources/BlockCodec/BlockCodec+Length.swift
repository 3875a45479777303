extension BlockCodec {
    /// The most bytes a stored block of this codec may have for `plainLength` plain bytes.
    ///
    /// What an encoder can need at worst; more is refused unread. A length outside 0 to 1 GiB counts as the nearest.
    public func maximumStoredLength(plainLength: Int) -> Int {
        let plain = min(max(plainLength, 0), Self.maximumPlainLength)
        switch self {
        case .xxteaSnappy: return XXTEA.encryptedLength(Snappy.maximumLength(plain))
        case .gcmSnappy: return Snappy.maximumLength(plain) + AESGCM.tagLength
        case .gcmZstd: return Zstd.maximumLength(plain) + AESGCM.tagLength
        }
    }

    /// The most bytes a stored block of any codec may have, for where the codec is not known.
    public static func maximumStoredLength(plainLength: Int) -> Int {
        allCases.reduce(0) { max($0, $1.maximumStoredLength(plainLength: plainLength)) }
    }

    /// The length word of XXTEA, the length of snappy and the calls of libcrypto have 32 bits, one of them signed;
    /// half of that leaves room for what an encoder adds.
    static let maximumPlainLength = 1 << 30
}
