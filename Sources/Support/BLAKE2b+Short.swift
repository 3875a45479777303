internal import CBLAKE2b

extension BLAKE2b {
    /// Hashes bytes to a digest of 8 bytes: the names of a `.flist`'s access records.
    public static func hash8(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { bytes in
            var message = blake2b_message(bytes, 8)
            blake2b_hash(&message, 1, 1)
            return withUnsafeBytes(of: message.digest) { Array($0.prefix(8)) }
        }
    }
}
