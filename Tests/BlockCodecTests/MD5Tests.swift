import BlockCodec
import Support
import Testing

@Suite("MD5")
struct MD5Tests {
    @Test(
        "gives the answers of RFC 1321, A.5, whatever the pieces",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a"
            ),
        ])
    func hash(text: String, digest: String) {
        for size in [1, 7, 1000] {
            guard var hasher = MD5() else {
                Issue.record("libcrypto has no MD5")
                return
            }
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { hasher.update($0) }
            }
            #expect(hasher.finalize().description == digest)
        }
    }
}
