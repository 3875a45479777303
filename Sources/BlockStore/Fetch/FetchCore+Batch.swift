internal import BlockCodec

extension FetchCore {
    /// Decodes blocks side by side, then hands over one after the other.
    func decode(_ blocks: [DecodeQueue.Block], _ decoder: inout BlockDecoder) {
        let wanted = blocks.filter { block in
            if begin(block) { return true }
            end(block, wasWanted: false, nil)
            return false
        }
        let plains = wanted.map { BlockBufferPool.shared.buffer(capacity: $0.job.reference.plainLength) }
        var decodings = zip(wanted, plains).map { block, plain in
            BlockDecoding(
                stored: block.stored.bytes, reference: block.job.reference,
                plain: UnsafeMutableRawBufferPointer(rebasing: plain.memory[..<block.job.reference.plainLength]))
        }
        withExtendedLifetime((wanted, plains)) { decoder.decode(&decodings) }
        for (index, block) in wanted.enumerated() {
            let error = decodings[index].error
            if error == nil {
                plains[index].count = block.job.reference.plainLength
                deliver(plains[index], block)
            }
            end(block, wasWanted: true, error)
        }
    }
}
