import BlockCodec
import BlockStore
import Foundation
import Support
import Synchronization

/// A block as a store holds it.
struct TestBlock {
    let reference: BlockReference
    let stored: [UInt8]
    let plain: [UInt8]

    init(_ number: Int, length: Int = 4096, codec: BlockCodec = .gcmSnappy) throws {
        var generator = SplitMix(state: UInt64(number))
        plain = (0..<length).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        var encoder = BlockEncoder(codec: codec)
        let encoded = try plain.withUnsafeBytes { try encoder.encode($0) }
        reference = encoded.reference
        stored = Array(encoded.stored)
    }

    static func many(_ count: Int, length: Int = 4096) throws -> [TestBlock] {
        try (0..<count).map { try TestBlock($0, length: length) }
    }
}

private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A folder that goes with this object.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/flist-test-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Gathers outcomes of things that complete on other threads.
final class Outcomes<Value: Sendable>: Sendable {
    private let values = Monitor<[Value]>([])

    func add(_ value: Value) {
        values.withLock { $0.append(value) }
        values.broadcast()
    }

    /// All values so far, once there are `count`; what there is after 20 seconds otherwise.
    func wait(for count: Int) -> [Value] {
        values.wait(until: .after(.seconds(20))) { $0.count >= count ? $0 : nil } ?? values.withLock { $0 }
    }

    var all: [Value] { values.withLock { $0 } }
}

/// A store whose answers the test gives.
final class ScriptedStore: BlockStore {
    let address = "scripted"
    let requests = Outcomes<StoreRequest>()
    let batches = Outcomes<Int>()
    let written = Outcomes<Digest>()

    func get(_ requests: [StoreRequest]) {
        batches.add(requests.count)
        for request in requests { self.requests.add(request) }
    }

    func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError) { written.add(id) }
    func contains(_ ids: [Digest]) throws(StoreError) -> [Bool] { ids.map { _ in false } }
    func close() {}
}

extension StoreRequest {
    func succeed(_ bytes: [UInt8]) {
        let buffer = BlockBufferPool.shared.buffer(capacity: bytes.count)
        buffer.memory.copyBytes(from: bytes)
        buffer.count = bytes.count
        complete(.success(buffer))
    }
}

/// The hash of the bytes, which for stored ones is the id and for plain ones the key; or the error.
func hashed<Failure>(_ result: Result<BlockBuffer, Failure>) -> Result<Digest, Failure> {
    result.map { BLAKE2b.hash($0.bytes, .bytes32) }
}

/// Reads blocks straight from a store, in the order asked for.
func read(
    _ ids: [Digest], from store: any BlockStore, limit: Int = 1 << 20, timeout: Duration = .seconds(20)
) -> [Result<Digest, StoreError>] {
    let outcomes = Outcomes<(Int, Result<Digest, StoreError>)>()
    store.get(
        ids.enumerated().map { index, id in
            StoreRequest(id: id, maximumLength: limit, deadline: .after(timeout)) { outcomes.add((index, hashed($0))) }
        })
    return outcomes.wait(for: ids.count).sorted { $0.0 < $1.0 }.map(\.1)
}

/// A router over the given addresses, all replicas of everything.
func router(_ urls: String...) throws -> BlockRouter {
    try BlockRouter(RouteTable(routes: try urls.map { try StoreRoute(parsing: $0) }))
}
