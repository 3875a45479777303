import TestSupport
import Testing

@testable import Support

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

    @Test(
        "of whole and of begun blocks (Python's hashlib)",
        arguments: [
            (128, "7230730104395dee302019e3e4f16c46"), (129, "c8b20ca4def638d8e9a7d7ae50d7f741"),
            (1000, "9a93c6b3ef6ea631ce915a61ae24bfbb02726d6272169cd3d5aad53a39a773e1"),
        ])
    func blocks(size: Int, digest: String) {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(BLAKE2b.hash(bytes, digest.count == 32 ? .bytes16 : .bytes32).description == digest)
    }

    @Test("is the same side by side, whatever the lengths", arguments: [1, 4, 8])
    func sideBySide(lanes: Int) {
        // Of what this processor has.
        let lanes = min(lanes, BLAKE2b.lanes)
        var random = SeededGenerator(seed: 1)
        for _ in 0..<300 {
            let texts = (0..<Int.random(in: 0..<20, using: &random)).map { _ in
                let size = Bool.random(using: &random) ? Int.random(in: 0..<700, using: &random) : 128
                return (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            let lengths = texts.map { _ in Bool.random(using: &random) ? BLAKE2b.Length.bytes16 : .bytes32 }
            // Each in memory of its own size: a read past the end is seen by the address sanitizer.
            let copies = texts.map { text in
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
                copy.copyBytes(from: text)
                return UnsafeRawBufferPointer(copy)
            }
            defer { copies.forEach { $0.deallocate() } }
            let digests = BLAKE2b.hash(zip(copies, lengths).map { BLAKE2b.Input($0, $1) }, lanes: lanes)
            #expect(digests == zip(texts, lengths).map { BLAKE2b.hash($0, $1) })
        }
    }
}
