import Support
import Testing

@Suite("BLAKE2b")
struct BLAKE2bTests {
    @Test(
        "gives the digests of an independent implementation (Python's hashlib)",
        arguments: [
            ("", "cae66941d9efbd404e4d88758ea67670"),
            ("etc", "9308da158ed557db704826796bca9f68"),
            ("hello flist\n", "febfd7e2ec6c48d6ea6209512e427230"),
            ("hello flist\n", "bd903b87f488ceed3f515e42c150fd5857b8bdc6fc6a09d9b999cdf66bccddcf"),
        ])
    func knownAnswers(text: String, digest: String) {
        let length: BLAKE2b.Length = digest.count == 32 ? .bytes16 : .bytes32
        #expect(BLAKE2b.hash(Array(text.utf8), length).description == digest)
    }

    @Test("does not depend on how the input is cut", arguments: [0, 1, 127, 128, 129, 255, 256, 257, 1000, 4096])
    func pieces(size: Int) {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for step in [1, 7, 64, 127, 128, 129, 300] {
            var hasher = BLAKE2b(.bytes32)
            var position = 0
            while position < size {
                hasher.update(Array(bytes[position..<min(size, position + step)]))
                position += step
            }
            #expect(hasher.finalize() == BLAKE2b.hash(bytes, .bytes32))
        }
    }
}
