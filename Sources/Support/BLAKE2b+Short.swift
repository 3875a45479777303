extension BLAKE2b {
    /// Hashes bytes to a digest of 8 bytes: the names of a `.flist`'s access records. Small inputs only.
    public static func hash8(_ bytes: [UInt8]) -> [UInt8] {
        var state = initial
        state[0] ^= 0x0101_0000 ^ 8
        var rest = bytes[...]
        var total: UInt64 = 0
        while true {
            let last = rest.count <= 128
            var block = Array(rest.prefix(128))
            total += UInt64(block.count)
            block.append(contentsOf: repeatElement(0, count: 128 - block.count))
            block.withUnsafeBytes { buffer in
                if let base = buffer.baseAddress { compress(base, &state, total, last: last) }
            }
            if last { break }
            rest = rest.dropFirst(128)
        }
        return (0..<8).map { UInt8(truncatingIfNeeded: state[0] >> UInt64($0 * 8)) }
    }
}
