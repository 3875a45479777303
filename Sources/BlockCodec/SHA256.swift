internal import CCrypto

/// SHA-256 (FIPS 180-4), by libcrypto. Pure; safe from any thread.
public enum SHA256 {
    public static let byteCount = 32

    /// The 32 bytes of the hash.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
            CCrypto.SHA256(bytes.baseAddress, bytes.count, output.baseAddress)
            count = byteCount
        }
    }

    /// The 32 bytes of the hash.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { hash($0) } }
}

/// HMAC with SHA-256 (RFC 2104), by libcrypto. Pure; safe from any thread.
public enum HMACSHA256 {
    /// The 32 bytes of the code.
    public static func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { output, count in
            // libcrypto takes an empty key only with an address that is not null; an array's may be.
            var empty: UInt8 = 0
            key.withUnsafeBytes { key in
                withUnsafePointer(to: &empty) { empty in
                    let address = key.baseAddress ?? UnsafeRawPointer(empty)
                    _ = HMAC(
                        EVP_sha256(), address, Int32(clamping: key.count), message, message.count, output.baseAddress,
                        nil)
                }
            }
            count = SHA256.byteCount
        }
    }
}
