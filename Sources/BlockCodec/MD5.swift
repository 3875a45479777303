internal import CCrypto
public import Support

/// MD5 (RFC 1321), by libcrypto, piece by piece. One thread at a time.
///
/// It names flists, since hubs and Zero-OS nodes name them so, and finds what a transfer broke. It protects nothing:
/// two files of one MD5 are made in seconds.
public struct MD5: ~Copyable {
    private let context: OpaquePointer

    /// Nil when memory is short or the machine's libcrypto is set up without MD5, as its FIPS mode is.
    public init?() {
        guard let context = EVP_MD_CTX_new() else { return nil }
        guard EVP_DigestInit_ex(context, EVP_md5(), nil) == 1 else {
            EVP_MD_CTX_free(context)
            return nil
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes the next bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The 16 bytes of the hash.
    public consuming func finalize() -> Digest {
        var bytes = [UInt8](repeating: 0, count: 16)
        EVP_DigestFinal_ex(context, &bytes, nil)
        return Digest(bytes) ?? .zero
    }
}
