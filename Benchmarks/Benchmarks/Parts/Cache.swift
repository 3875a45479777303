import Benchmark
import BlockCodec
import BlockStore
import FlistContent
import FlistImage
import Foundation
import Logging
import Support

/// Reads of 4 KiB of a content that is complete in the cache, as a mount answers them.
func cache() {
    Benchmark("Cache.hit.4KiB", configuration: .init(scalingFactor: .kilo)) { (benchmark, file: CachedFile) throws in
        try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 4096) { memory in
            for position in benchmark.scaledIterations {
                let start = UInt64(position % 1024) * 4096
                guard file.content.readNow(start..<start + 4096, into: memory) == 4096 else {
                    throw BenchmarkFailed(reason: "a block is not in the cache")
                }
            }
        }
    } setup: {
        try CachedFile()
    }
}

/// A file of 4 MiB in a cache folder of its own, which goes with it.
private final class CachedFile {
    let content: ContentFile
    private let resources: ContentResources
    private let router: BlockRouter
    private let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "flist-benchmark-\(UUID().uuidString)"
        resources = try ContentResources(cacheFolder: folder)
        let blockSize = 512 << 10
        let store = MemoryStore()
        var builder = TreeIndexBuilder(
            info: TreeIndexInfo(
                flistHash: BLAKE2b.hash([2], .bytes32), kind: .zstd, codec: .gcmZstd, blockSize: blockSize))
        try builder.add(TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o755))
        var entry = TreeEntry(id: 2, parent: 1, name: Array("file".utf8), type: .regular, permissions: 0o644)
        entry.size = UInt64(8 * blockSize)
        try builder.add(entry)
        for block in 0..<8 {
            let reference = try store.add(sample(blockSize, seed: UInt64(block)))
            try builder.addBlock(to: 2, blockID: reference.id, key: reference.key)
        }
        let index = try builder.finish()
        router = try store.router()
        let reader = ContentReader(
            index: index, cache: resources.cache, fetcher: resources.fetcher, router: router,
            logger: Logger(label: "benchmark", factory: { _ in SwiftLogNoOpLogHandler() }))
        guard let number = index.lookup(Array("file".utf8), in: TreeIndex.root), let file = reader.file(number) else {
            throw FlistError(.notFound, "the file of the benchmark is not in its tree")
        }
        content = file
        let outcome = Monitor<Result<Int, FetchError>?>(nil)
        file.read(0..<file.size) { result in
            outcome.withLock { $0 = result.map(\.count) }
            outcome.broadcast()
        }
        _ = try outcome.wait { $0 }.get()
    }

    deinit {
        router.close()
        resources.close()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
