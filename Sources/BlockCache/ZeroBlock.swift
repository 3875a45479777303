internal import BlockCodec
internal import CLinux
internal import Support

/// A block of zeros, which another flist of the same content may have as a hole: that one never looks at its bytes.
enum ZeroBlock {
    /// Makes a hole of a block whose bytes are not those of its key, if its key is that of zeros.
    ///
    /// Never wrong, whoever writes there meanwhile: all write zeros.
    static func mend(_ data: Int32, at offset: UInt64, _ length: Int, _ key: Digest, _ digestLength: BLAKE2b.Length) {
        guard key == ZeroKeys.key(of: length, digestLength) else { return }
        _ = try? systemCall { linux_punch_hole(data, Int(offset), length) }
    }
}
