import Support

@testable import BlockCodec

/// Encrypts any compressed bytes rightly, as somebody can who knows the key: every image has it.
enum Forgery {
    static func block(
        _ compressed: [UInt8], _ codec: BlockCodec, plain: [UInt8]
    ) throws(CodecError) -> (reference: BlockReference, stored: [UInt8]) {
        let key = BLAKE2b.hash(plain, codec.digestLength)
        var memory = ScratchMemory()
        let output = memory.bytes(compressed.count + 64)
        let input = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, compressed.count), alignment: 1)
        defer { input.deallocate() }
        input.copyBytes(from: compressed)
        let bytes = UnsafeRawBufferPointer(rebasing: input[..<compressed.count])
        let length: Int
        switch codec {
        case .xxteaSnappy:
            length = try XXTEA.encrypt(bytes, key: key, into: output)
        case .gcmSnappy, .gcmZstd:
            var gcm = AESGCM()
            length = try gcm.seal(bytes, key: key, into: output)
        }
        let stored = Array(output[..<length])
        let reference = BlockReference(
            id: BLAKE2b.hash(stored, codec.digestLength), key: key, codec: codec, plainLength: plain.count)
        return (reference, stored)
    }

    /// What decoding the forged block throws; nil when it is decoded.
    static func refusal(_ compressed: [UInt8], _ codec: BlockCodec, plain: [UInt8]) throws -> CodecError? {
        let (reference, stored) = try block(compressed, codec, plain: plain)
        do throws(CodecError) {
            let decoded = try Blocks.decode(stored, as: reference)
            return decoded == plain ? nil : .wrongContent
        } catch {
            return error
        }
    }

    /// A variable-length number, as snappy begins with.
    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest > 127 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
