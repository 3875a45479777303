internal import Support

/// XXTEA over 32-bit little-endian words, with the plain length as an extra last word, as xxtea-c and libflist have it.
///
/// The key is 16 bytes as they are: xxtea-c's own string keys end at the first zero byte, libflist's do not. XXTEA does
/// not authenticate: a wrong key shows in the length word with a chance of all but one in 2^30.
enum XXTEA {
    typealias Word = UInt32

    static let delta: Word = 0x9e37_79b9

    /// The bytes that `plain` bytes take encrypted: whole words and the length word. At least two words.
    static func encryptedLength(_ plain: Int) -> Int { max(8, (plain + 3) / 4 * 4 + 4) }

    /// 6 rounds from 53 words on, more for fewer words. `words` must be at least 2.
    static func rounds(_ words: Int) -> Word { Word(6 + 52 / words) }

    /// Four words of key; nil unless the digest has 16 bytes.
    static func key(_ digest: Digest) -> SIMD4<Word>? {
        guard digest.count == 16 else { return nil }
        return digest.withBytes { bytes in
            var key = SIMD4<Word>()
            for index in 0..<4 {
                key[index] = Word(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: Word.self))
            }
            return key
        }
    }

    /// Decrypts into `plain`, which must be aligned to words and have room for `encrypted.count`; answers the length.
    ///
    /// - Throws: `wrongKey` when the bytes are not whole words, or the length word does not fit their count.
    static func decrypt(
        _ encrypted: UnsafeRawBufferPointer, key digest: Digest, into plain: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        guard let key = key(digest), isWhole(encrypted), plain.count >= encrypted.count,
            let target = plain.baseAddress
        else { throw .wrongKey }
        plain.copyMemory(from: encrypted)
        let count = encrypted.count / 4
        let words = target.assumingMemoryBound(to: Word.self)
        decrypt(words, count, key)
        return try length(lastWord: words[count - 1], count)
    }

    /// Encrypts into `encrypted`, which must be aligned to words and have room for `encryptedLength`.
    ///
    /// - Returns: the encrypted length.
    /// - Throws: `wrongKey` when the key does not have 16 bytes or there is no room.
    static func encrypt(
        _ plain: UnsafeRawBufferPointer, key digest: Digest, into encrypted: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        let length = encryptedLength(plain.count)
        guard let key = key(digest), let word = Word(exactly: plain.count), encrypted.count >= length,
            let target = encrypted.baseAddress
        else { throw .wrongKey }
        let count = length / 4
        let words = target.assumingMemoryBound(to: Word.self)
        words.update(repeating: 0, count: count)
        encrypted.copyMemory(from: plain)
        words[count - 1] = word
        encrypt(words, count, key)
        return length
    }

    static func isWhole(_ encrypted: UnsafeRawBufferPointer) -> Bool {
        encrypted.count >= 8 && encrypted.count % 4 == 0
    }

    /// The plain length that the decrypted last of `count` words tells.
    static func length(lastWord: Word, _ count: Int) throws(CodecError) -> Int {
        let room = (count - 1) * 4
        let length = Int(lastWord)
        guard length <= room, length >= room - 3 else { throw .wrongKey }
        return length
    }
}
