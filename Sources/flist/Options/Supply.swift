internal import BlockCodec
internal import BlockStore
internal import FlistContent
internal import FlistImage
internal import FlistTools
internal import Support

/// How tools get blocks from an open flist.
enum Supply {
    /// Through the cache where there is one, else from the stores.
    static func of(_ open: OpenFlist) -> BlockSupply {
        guard open.cache != nil else { return BlockSupply(open.fetcher, open.router) }
        return BlockSupply { reference, inode, block, completion in
            guard let file = open.content.file(inode) else {
                open.fetcher.fetch(reference, from: open.router, .demand, completion: completion)
                return
            }
            let start = UInt64(block) * UInt64(file.blocks.blockSize)
            file.read(start..<start + UInt64(reference.plainLength)) { result in
                // The bytes live during this call only.
                completion(
                    result.map { bytes in
                        let buffer = BlockBufferPool.shared.buffer(capacity: bytes.count)
                        buffer.memory.copyMemory(from: bytes)
                        buffer.count = bytes.count
                        return buffer
                    })
            }
        }
    }
}
