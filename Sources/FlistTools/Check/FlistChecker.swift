internal import BlockCodec
internal import BlockStore
public import FlistImage
public import Support
internal import Synchronization

/// Fetches every distinct block of a flist and verifies it. Its structure was verified when it was opened.
public final class FlistChecker: Sendable {
    /// A block that no store gives as it should be.
    public struct BadBlock: Sendable, Hashable {
        public var id: Digest
        public var reason: String
        /// The paths of the files that have it, one for each inode, sorted.
        public var files: [[UInt8]]
    }

    /// What was found.
    public struct Report: Sendable {
        /// Blocks that differ.
        public var blocks = 0
        /// Their plain bytes.
        public var bytes: UInt64 = 0
        /// Sorted by id.
        public var bad: [BadBlock] = []
        /// Files that the flist names no blocks for.
        public var filesWithoutBlocks: [[UInt8]] = []

        public var isGood: Bool { bad.isEmpty && filesWithoutBlocks.isEmpty }
    }

    /// Under way at once. The fetcher bounds memory by itself; this bounds its queue.
    private static let limit = 1024

    private let index: TreeIndex
    private let supply: BlockSupply
    private let state = Mutex(BlockProgress())

    public init(_ index: TreeIndex, _ supply: BlockSupply) {
        self.index = index
        self.supply = supply
    }

    /// How far it is. Thread-safe.
    public var progress: BlockProgress { state.withLock { $0 } }

    /// Checks, once; blocks until done. `stop` is asked between blocks.
    public func run(stop: () -> Bool = { false }) -> Report {
        var report = Report()
        let distinct = distinctBlocks(&report)
        let total = report.bytes
        state.withLock { $0.totalBytes = total }
        let limit = FlightLimit(count: Self.limit, bytes: 256 << 20)
        let bad = Mutex<[Digest: String]>([:])
        for (reference, place) in distinct {
            if stop() { break }
            limit.enter(reference.plainLength)
            supply.fetch(reference, place.file, place.block) { [self] result in
                if case .failure(let error) = result { bad.withLock { $0[reference.id] = error.description } }
                state.withLock { progress in
                    progress.items += 1
                    progress.bytes += UInt64(reference.plainLength)
                }
                limit.leave(reference.plainLength)
            }
        }
        limit.drain()
        report.bad = badBlocks(bad.withLock { $0 })
        return report
    }

    private func distinctBlocks(_ report: inout Report) -> [(BlockReference, (file: InodeNumber, block: Int))] {
        var seen: Set<BlockReference> = []
        var distinct: [(BlockReference, (file: InodeNumber, block: Int))] = []
        index.forEachFile { number, attributes in
            if attributes.isWithoutBlocks { report.filesWithoutBlocks.append(index.path(of: number)) }
            guard let blocks = index.blocks(of: number) else { return }
            for position in 0..<blocks.count {
                guard let reference = blocks[position], seen.insert(reference).inserted else { continue }
                distinct.append((reference, (number, position)))
                report.blocks += 1
                report.bytes += UInt64(reference.plainLength)
            }
        }
        return distinct
    }

    /// Finds the files that bad blocks are in.
    private func badBlocks(_ bad: [Digest: String]) -> [BadBlock] {
        guard !bad.isEmpty else { return [] }
        var files: [Digest: [[UInt8]]] = [:]
        index.forEachFile { number, _ in
            guard let blocks = index.blocks(of: number) else { return }
            var here: Set<Digest> = []
            for position in 0..<blocks.count {
                guard let id = blocks[position]?.id, bad[id] != nil, here.insert(id).inserted else { continue }
                files[id, default: []].append(index.path(of: number))
            }
        }
        return bad.map { id, reason in
            BadBlock(
                id: id, reason: reason, files: (files[id] ?? []).sorted { $0.lexicographicallyPrecedes($1) })
        }.sorted { $0.id.bytes.lexicographicallyPrecedes($1.id.bytes) }
    }
}
