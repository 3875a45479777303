import BlockCodec
import BlockStore
import Foundation
import Support
import Synchronization

/// Blocks and reads for the suites of the HTTP stores.
enum HTTPTestBlocks {
    /// Bytes that differ for seeds below 256, under their BLAKE2b hash.
    static func block(_ seed: Int, count: Int = 1000) -> (id: Digest, bytes: [UInt8]) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed &* 7 &+ ($0 >> 8)) }
        return (BLAKE2b.hash(bytes, .bytes32), bytes)
    }

    static func path(_ id: Digest) -> String { "\(id.description.prefix(2))/\(id)" }

    /// Reads blocks through a store and waits for all; results are in order.
    static func read(
        _ ids: [Digest], from store: any BlockStore, maximumLength: Int = 1 << 20, within time: Duration = .seconds(20)
    ) -> [Result<[UInt8], StoreError>] {
        let results = Monitor(
            (done: 0, list: [Result<[UInt8], StoreError>](repeating: .failure(.cancelled), count: ids.count)))
        store.get(
            ids.enumerated().map { index, id in
                StoreRequest(id: id, maximumLength: maximumLength, deadline: .after(time)) { result in
                    results.withLock { results in
                        results.list[index] = result.map { [UInt8]($0.bytes) }
                        results.done += 1
                    }
                    results.signal()
                }
            })
        return results.wait { $0.done == ids.count ? $0.list : nil }
    }

    static func read(
        _ id: Digest, from store: any BlockStore, maximumLength: Int = 1 << 20, within time: Duration = .seconds(20)
    ) throws(StoreError) -> [UInt8] {
        guard let result = read([id], from: store, maximumLength: maximumLength, within: time).first else {
            throw .cancelled
        }
        return try result.get()
    }

    static func put(_ block: (id: Digest, bytes: [UInt8]), into store: any BlockStore) throws {
        try block.bytes.withUnsafeBytes { try store.put(block.id, $0) }
    }
}
