internal import BlockCodec
public import BlockStore
public import FlistImage
internal import Glibc
public import Support
internal import Synchronization

/// Measures the decoding of a flist's blocks alone: stored bytes wait in memory, all cores verify, decrypt and decompress
/// them, and write each different content to a file if asked to. Nothing that reads a flist can be faster than this.
public final class DecodeBench: Sendable {
    private let contents: [[BlockReference]]
    /// Contents that a core takes at a time: one large one, or small ones that it can decode side by side.
    private let groups: [Range<Int>]
    private let stored = Mutex<[Digest: BlockBuffer]>([:])

    /// The different contents of a flist, the largest first, so that no core is left with a large one at the end.
    public init(_ index: TreeIndex) {
        var seen: Set<[BlockReference]> = []
        var contents: [[BlockReference]] = []
        index.forEachFile { number, _ in
            guard let blocks = index.blocks(of: number) else { return }
            let references = (0..<blocks.count).compactMap { blocks[$0] }
            if !references.isEmpty, seen.insert(references).inserted { contents.append(references) }
        }
        self.contents = contents.map { (bytes: $0.reduce(0) { $0 + $1.plainLength }, references: $0) }
            .sorted { $0.bytes > $1.bytes }.map(\.references)
        var (groups, first) = ([Range<Int>](), 0)
        var batch = DecodeBatch.Size()
        for (index, references) in self.contents.enumerated() {
            if !references.allSatisfy({ batch.add($0) }), index > first {
                groups.append(first..<index)
                first = index
                batch = DecodeBatch.Size()
                references.forEach { _ = batch.add($0) }
            }
        }
        if first < contents.count { groups.append(first..<contents.count) }
        self.groups = groups
    }

    /// Brings all blocks into memory. Blocks.
    ///
    /// - Parameter budget: the most bytes that they may take.
    /// - Throws: what could not be fetched, or that they are more than the budget.
    public func load(
        from router: BlockRouter, budget: UInt64, progress: BenchProgress = BenchProgress()
    ) throws(FlistError) {
        let flight = FlightLimit(count: 64, bytes: .max)
        let failure = Mutex<FlistError?>(nil)
        var seen: Set<Digest> = []
        for reference in contents.joined() where seen.insert(reference.id).inserted {
            guard failure.withLock({ $0 }) == nil else { break }
            guard let place = router.replicas(for: reference.id).first else {
                throw FlistError(.notFound, "no route leads to a store for block \(reference.id)")
            }
            let store = try place.store()
            flight.enter(0)
            store.get([
                StoreRequest(
                    id: reference.id,
                    maximumLength: reference.codec.maximumStoredLength(plainLength: reference.plainLength),
                    deadline: .after(.seconds(60))
                ) { [self] result in
                    switch result {
                    case .success(let bytes):
                        stored.withLock { $0[reference.id] = bytes }
                        progress.add(bytes: bytes.count)
                        if progress.bytes > budget {
                            failure.withLock {
                                $0 = FlistError(
                                    .invalid,
                                    "the blocks are more than \(ByteCount(budget)); --memory lets more of it be used")
                            }
                        }
                    case .failure(let error):
                        failure.withLock {
                            $0 =
                                $0
                                ?? FlistError(
                                    .unavailable, "block \(reference.id) from \(place.address)", cause: error)
                        }
                    }
                    flight.leave(0)
                }
            ])
        }
        flight.drain()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Decodes every content once on `threads` cores; blocks until done. `count` is contents, the time of the
    /// group that each was decoded with its latency.
    ///
    /// - Parameter folder: where each content becomes a file, in folders of a thousand; nil to write nothing.
    public func run(
        threads: Int = Processors.count, into folder: String?, progress: BenchProgress = BenchProgress()
    ) throws(FlistError) -> BenchFigures {
        let blocks = stored.withLock { $0 }
        let next = Atomic(0)
        let total = Mutex(BenchFigures())
        if let folder { try makeFolders(in: folder) }
        let start = Deadline.now
        var workers: [WorkerThread] = []
        for number in 0..<max(1, threads) {
            workers.append(
                try WorkerThread("bench-\(number)") { [contents, groups] in
                    var batch = DecodeBatch(blocks: blocks)
                    var figures = BenchFigures()
                    while true {
                        let number = next.add(1, ordering: .relaxed).oldValue
                        guard number < groups.count else { break }
                        let began = Deadline.now
                        let outputs = groups[number].map { index in
                            DecodeOutput(contents[index], path: folder.map { Self.path(index, in: $0) })
                        }
                        for output in outputs { for block in output.blocks { batch.add(block, to: output) } }
                        batch.decode()
                        for output in outputs {
                            if let error = output.close() {
                                figures.fail(error.description)
                            } else {
                                figures.succeed(bytes: output.size, since: began)
                                progress.add(bytes: output.size)
                            }
                        }
                    }
                    total.withLock { $0.merge(figures) }
                })
        }
        for worker in workers { worker.join() }
        var result = total.withLock { $0 }
        result.elapsed = .nanoseconds(Int64(clamping: Deadline.now.nanoseconds - start.nanoseconds))
        return result
    }

    /// Removes what `run` wrote.
    public func removeFiles(in folder: String) {
        for index in contents.indices { unlink(Self.path(index, in: folder)) }
        for number in 0...(contents.count / 1000) { rmdir("\(folder)/\(number)") }
    }

    private static func path(_ index: Int, in folder: String) -> String { "\(folder)/\(index / 1000)/\(index)" }

    private func makeFolders(in folder: String) throws(FlistError) {
        do throws(Errno) {
            for number in 0...(contents.count / 1000) {
                try Folder.make("\(folder)/\(number)", mode: 0o700, parents: true)
            }
        } catch {
            throw FlistError("cannot make folders in \(folder)", errno: error)
        }
    }
}
