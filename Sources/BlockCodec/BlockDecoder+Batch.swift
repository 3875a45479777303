internal import Support

/// One block of several that are decoded together.
public struct BlockDecoding {
    /// The bytes from the store.
    public let stored: UnsafeRawBufferPointer
    public let reference: BlockReference
    /// Takes the plain bytes; its count must be the reference's plain length. Undefined after a failure.
    public let plain: UnsafeMutableRawBufferPointer
    /// Nil when the block was decoded; before that, meaningless.
    public internal(set) var error: CodecError?

    /// The memory must stay valid until the block is decoded, and `plain` must be no other block's.
    public init(
        stored: UnsafeRawBufferPointer, reference: BlockReference, plain: UnsafeMutableRawBufferPointer
    ) {
        self.stored = stored
        self.reference = reference
        self.plain = plain
    }
}

extension BlockDecoder {
    /// Decodes several blocks, of any codecs; each fails for itself.
    ///
    /// The same as decoding them one by one, but hashing takes up to eight blocks in the time of two (``BLAKE2b/hash(_:)``), and
    /// the decryption of XXTEA, the slowest step of its codec, four in that of one. Worth it where at least two blocks are there
    /// anyway; waiting for more is not.
    public mutating func decode(_ blocks: inout [BlockDecoding]) {
        for index in blocks.indices {
            let block = blocks[index]
            do throws(CodecError) {
                try Self.checkLengths(block.stored, block.reference, block.plain)
                blocks[index].error = nil
            } catch {
                blocks[index].error = error
            }
        }
        Self.compare(&blocks, .wrongID) { ($0.stored, $0.reference.id) }
        open(&blocks)
        Self.compare(&blocks, .wrongContent) { (UnsafeRawBufferPointer($0.plain), $0.reference.key) }
    }

    /// Fails all blocks that have not failed yet and whose bytes do not have the hash.
    private static func compare(
        _ blocks: inout [BlockDecoding], _ error: CodecError,
        _ hashed: (BlockDecoding) -> (UnsafeRawBufferPointer, Digest)
    ) {
        let good = blocks.indices.filter { blocks[$0].error == nil }
        let digests = BLAKE2b.hash(
            good.map { BLAKE2b.Input(hashed(blocks[$0]).0, blocks[$0].reference.codec.digestLength) })
        for (index, digest) in zip(good, digests) where digest != hashed(blocks[index]).1 {
            blocks[index].error = error
        }
    }

    /// Decrypts and decompresses what has not failed yet.
    private mutating func open(_ blocks: inout [BlockDecoding]) {
        // The numbers of the blocks that wait to be decrypted side by side: 0 to 4 of them.
        var waiting = SIMD4<Int>()
        var count = 0
        for index in blocks.indices where blocks[index].error == nil {
            let block = blocks[index]
            guard block.reference.codec == .xxteaSnappy, block.reference.key.count == 16,
                XXTEA.isWhole(block.stored), block.stored.count >= XXTEA.fewestLaneWords * 4,
                block.stored.count <= Self.laneLimit
            else {
                openAlone(&blocks[index])
                continue
            }
            waiting[count] = index
            count += 1
            if count == 4 {
                openLanes(&blocks, waiting, count)
                count = 0
            }
        }
        if count == 1 {
            openAlone(&blocks[waiting[0]])
        } else if count > 1 {
            openLanes(&blocks, waiting, count)
        }
    }

    /// The most stored bytes of a block that is decrypted next to others: side by side, five times the longest one's
    /// memory is needed. Blocks of the format have at most 0.6 MiB.
    private static var laneLimit: Int { 4 << 20 }

    private mutating func openAlone(_ block: inout BlockDecoding) {
        do throws(CodecError) {
            try open(block.stored, block.reference, into: block.plain)
        } catch {
            block.error = error
        }
    }

    /// Decrypts 2 to 4 blocks side by side, then decompresses one by one.
    private mutating func openLanes(_ blocks: inout [BlockDecoding], _ indices: SIMD4<Int>, _ used: Int) {
        // The longest first, as the decryption wants it.
        var order = indices
        for end in stride(from: used - 1, to: 0, by: -1) {
            for lane in 0..<end where blocks[order[lane]].stored.count < blocks[order[lane + 1]].stored.count {
                (order[lane], order[lane + 1]) = (order[lane + 1], order[lane])
            }
        }
        let longest = blocks[order[0]].stored.count / 4
        // Four lanes of words, and one block's words behind them.
        let memory = scratch.bytes(longest * 20)
        guard let base = memory.baseAddress else { return }
        let words = base.bindMemory(to: XXTEA.Lanes.self, capacity: longest)
        words.update(repeating: .zero, count: longest)

        var counts = SIMD4<Int>(repeating: 2)
        var keys = (XXTEA.Lanes(), XXTEA.Lanes(), XXTEA.Lanes(), XXTEA.Lanes())
        for lane in 0..<used {
            let block = blocks[order[lane]]
            counts[lane] = block.stored.count / 4
            for p in 0..<counts[lane] {
                words[p][lane] = block.stored.loadUnaligned(fromByteOffset: p * 4, as: XXTEA.Word.self)
            }
            guard let key = XXTEA.key(block.reference.key) else { continue }
            keys.0[lane] = key[0]
            keys.1[lane] = key[1]
            keys.2[lane] = key[2]
            keys.3[lane] = key[3]
        }
        XXTEA.decrypt(words, counts, keys)

        let target = UnsafeMutableRawBufferPointer(rebasing: memory[(longest * 16)...])
        for lane in 0..<used {
            let count = counts[lane]
            for p in 0..<count {
                target.storeBytes(of: words[p][lane], toByteOffset: p * 4, as: XXTEA.Word.self)
            }
            let block = blocks[order[lane]]
            do throws(CodecError) {
                let length = try XXTEA.length(lastWord: words[count - 1][lane], count)
                try decompress(
                    UnsafeRawBufferPointer(rebasing: target[..<length]), block.reference, into: block.plain)
            } catch {
                blocks[order[lane]].error = error
            }
        }
    }
}
