internal import CCrypto
internal import Support

/// AES-256-GCM as rfs uses it: the nonce is the first 12 bytes of the key, no additional data, the tag comes last.
///
/// The nonce may repeat a key's bytes since a key is the hash of what it encrypts: it is never used for anything else.
/// Keeps one context of libcrypto, made at the first use. Not thread-safe.
struct AESGCM: ~Copyable {
    static let tagLength = 16
    private var context: OpaquePointer?

    deinit { EVP_CIPHER_CTX_free(context) }

    /// Decrypts into `opened`, which must have room for `sealed.count`, and answers the length.
    ///
    /// - Throws: `wrongKey` when the tag does not match; what `opened` then holds must not be used.
    mutating func open(
        _ sealed: UnsafeRawBufferPointer, key: Digest, into opened: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        guard let source = sealed.baseAddress, sealed.count >= Self.tagLength, opened.count >= sealed.count,
            let length = Int32(exactly: sealed.count - Self.tagLength)
        else { throw .wrongKey }
        guard start(key, encrypting: 0) else { throw .wrongKey }
        // libcrypto only reads the tag, though its signature says otherwise.
        let tag = UnsafeMutableRawPointer(mutating: source + Int(length))
        var written: Int32 = 0
        var last: Int32 = 0
        guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), tag) == 1,
            update(source, length, opened, &written),
            EVP_CipherFinal_ex(context, opened.baseAddress?.assumingMemoryBound(to: UInt8.self), &last) == 1,
            written == length
        else { throw .wrongKey }
        return Int(length)
    }

    /// Encrypts into `sealed`, which must have room for the plain bytes and the tag, and answers the length.
    mutating func seal(
        _ plain: UnsafeRawBufferPointer, key: Digest, into sealed: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        guard let source = plain.baseAddress, let target = sealed.baseAddress,
            let length = Int32(exactly: plain.count), sealed.count - Self.tagLength >= plain.count
        else { throw .wrongKey }
        var written: Int32 = 0
        var last: Int32 = 0
        guard start(key, encrypting: 1),
            update(source, length, sealed, &written), written == length,
            EVP_CipherFinal_ex(context, (target + plain.count).assumingMemoryBound(to: UInt8.self), &last) == 1,
            EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), target + plain.count) == 1
        else { throw .wrongKey }
        return plain.count + Self.tagLength
    }

    /// Sets key and nonce. Naming the cipher only once saves libcrypto 3 a look-up under a lock for each block.
    private mutating func start(_ key: Digest, encrypting: Int32) -> Bool {
        guard key.count == 32 else { return false }
        if context == nil {
            context = EVP_CIPHER_CTX_new()
            guard EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, nil, nil, encrypting) == 1 else { return false }
        }
        let context = context
        return key.withBytes { bytes in
            let pointer = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return EVP_CipherInit_ex(context, nil, nil, pointer, pointer, encrypting) == 1
        }
    }

    private func update(
        _ source: UnsafeRawPointer, _ length: Int32, _ target: UnsafeMutableRawBufferPointer, _ written: inout Int32
    ) -> Bool {
        // An update of no bytes is an error in some versions of libcrypto.
        guard length > 0 else { return true }
        return EVP_CipherUpdate(
            context, target.baseAddress?.assumingMemoryBound(to: UInt8.self), &written,
            source.assumingMemoryBound(to: UInt8.self), length) == 1
    }
}
