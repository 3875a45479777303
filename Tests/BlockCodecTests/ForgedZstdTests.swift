import Support
import Testing

@testable import BlockCodec

@Suite("Forged zstd blocks")
struct ForgedZstdTests {
    static let plain = Array("hello flist\n".utf8)
    static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]
    // The last block of a frame, uncompressed: the bit for last, type 0, and a length of 12.
    static let raw: [UInt8] = [12 << 3 | 1, 0, 0] + plain
    /// A single segment that declares 12 bytes in one byte.
    static let frame = magic + [0x20, 12] + raw

    private func refusal(_ compressed: [UInt8]) throws -> CodecError? {
        try Forgery.refusal(compressed, .gcmZstd, plain: Self.plain)
    }

    @Test("that are valid are decoded, so the forgery itself is sound")
    func valid() throws {
        #expect(try refusal(Self.frame) == nil)
        // The content size in eight bytes instead of one.
        #expect(try refusal(Self.magic + [0xe0, 12, 0, 0, 0, 0, 0, 0, 0] + Self.raw) == nil)
    }

    @Test("that declare more than the block are refused")
    func bomb() throws {
        #expect(try refusal(Self.magic + [0x20, 13] + Self.raw) == .tooLarge(declared: 13, limit: 12))
        #expect(
            try refusal(Self.magic + [0xa0, 0xff, 0xff, 0xff, 0xff] + Self.raw)
                == .tooLarge(declared: 0xffff_ffff, limit: 12))
        #expect(
            try refusal(Self.magic + [0xe0] + [UInt8](repeating: 0xff, count: 8) + Self.raw)
                == .tooLarge(declared: .max, limit: 12))
    }

    @Test("that declare the right length and hold more are refused")
    func hiddenBomb() throws {
        // A run of 131,072 equal bytes in four.
        let run: [UInt8] = [0x03, 0x00, 0x10, 0x61]
        let refusal = try refusal(Self.magic + [0x20, 12] + run)
        guard case .damaged(let how) = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
        #expect(how.hasPrefix("zstd: "))
    }

    @Test("that declare less are refused")
    func less() throws {
        #expect(try refusal(Self.magic + [0x20, 11] + Self.raw) == .wrongLength(found: 11, expected: 12))
    }

    @Test("without a content size are refused")
    func unknownSize() throws {
        #expect(try refusal(Self.magic + [0x00, 0x00] + Self.raw) == .damaged("zstd: no content size"))
    }

    @Test("with a window larger than the block are refused")
    func window() throws {
        // 4-byte content size, a window descriptor of 1 KiB and of the largest.
        let size: [UInt8] = [12, 0, 0, 0]
        #expect(try refusal(Self.magic + [0x80, 0x00] + size + Self.raw) == .tooLarge(declared: 1024, limit: 12))
        #expect(
            try refusal(Self.magic + [0x80, 0xff] + size + Self.raw)
                == .tooLarge(declared: (1 << 41) / 8 * 15, limit: 12))
    }

    @Test("that need a dictionary are refused")
    func dictionary() throws {
        #expect(try refusal(Self.magic + [0x21, 7, 12] + Self.raw) == .damaged("zstd: needs a dictionary"))
    }

    @Test("that are not one frame and nothing else are refused")
    func frames() throws {
        #expect(try refusal(Self.frame + [0]) == .damaged("zstd: bytes after the frame"))
        #expect(try refusal(Self.frame + Self.frame) == .damaged("zstd: bytes after the frame"))
        #expect(try refusal([]) == .damaged("zstd: no frame"))
        // A frame to be skipped.
        #expect(try refusal([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]) == .damaged("zstd: no frame"))
        // A set reserved bit.
        #expect(try refusal(Self.magic + [0x28, 12] + Self.raw) == .damaged("zstd: no frame"))
    }

    @Test("cut short anywhere are refused")
    func truncated() throws {
        for count in 0..<Self.frame.count {
            let expected = count < 6 ? "zstd: no frame" : "zstd: broken frame"
            #expect(try refusal(Array(Self.frame[..<count])) == .damaged(expected), "\(count) bytes")
        }
    }

    @Test("of other bytes of the same length are refused")
    func otherContent() throws {
        var frame = Self.frame
        frame[frame.count - 2] ^= 1
        #expect(try refusal(frame) == .wrongContent)
    }

    @Test("changed anywhere fail in the compression or the content, or give the right bytes")
    func mutated() throws {
        let plain = Blocks.data(.text, 2000)
        var compressor = ZstdCompressor(level: 3)
        var memory = ScratchMemory()
        let output = memory.bytes(Zstd.maximumLength(plain.count))
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: plain.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: plain)
        let length = try compressor.compress(UnsafeRawBufferPointer(copy), into: output)
        let good = Array(output[..<length])
        #expect(try Forgery.refusal(good, .gcmZstd, plain: plain) == nil)
        for seed in 0..<2000 as Range<UInt64> {
            var generator = SplitMix64(state: seed)
            var bad = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bad[Int.random(in: 0..<bad.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let refusal = try Forgery.refusal(bad, .gcmZstd, plain: plain)
            // Some bits of a frame mean nothing; what is decoded was checked against the plain bytes.
            #expect(refusal != .wrongID && refusal != .wrongKey, "seed \(seed)")
        }
    }
}
