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
        // Whoever has to ask another store does it first.
        for (index, block) in wanted.enumerated() {
            if let error = decodings[index].error { end(block, wasWanted: true, error) }
        }
        let good = wanted.indices.filter { decodings[$0].error == nil }
        for index in good {
            plains[index].count = wanted[index].job.reference.plainLength
            deliver(plains[index], wanted[index])
        }
        // All memory is held until here, and its budget with it.
        for index in good { end(wanted[index], wasWanted: true, nil) }
    }
}
