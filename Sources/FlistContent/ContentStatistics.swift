internal import BlockStore
internal import Synchronization

/// What reading has cost so far. All counts only grow.
public struct ContentStatistics: Sendable, Equatable {
    /// Reads answered from the local disk at once.
    public var localReads: UInt64 = 0
    /// Reads that had to wait for at least one block.
    public var parkedReads: UInt64 = 0
    /// Reads that ended in an error.
    public var failedReads: UInt64 = 0
    /// Plain bytes handed out.
    public var bytesRead: UInt64 = 0
    /// Blocks asked for because somebody waits for them.
    public var demandBlocks: UInt64 = 0
    /// Blocks asked for ahead of a reader.
    public var readaheadBlocks: UInt64 = 0
    /// Blocks asked for because a profile or a person named them.
    public var prefetchBlocks: UInt64 = 0

    /// Nothing read.
    public static let none = ContentStatistics()

    /// Adds what another reader has cost.
    public mutating func add(_ other: ContentStatistics) {
        localReads &+= other.localReads
        parkedReads &+= other.parkedReads
        failedReads &+= other.failedReads
        bytesRead &+= other.bytesRead
        demandBlocks &+= other.demandBlocks
        readaheadBlocks &+= other.readaheadBlocks
        prefetchBlocks &+= other.prefetchBlocks
    }
}

/// The counters behind `ContentStatistics`. Thread-safe.
final class ContentCounters: Sendable {
    let localReads = Atomic<UInt64>(0)
    let parkedReads = Atomic<UInt64>(0)
    let failedReads = Atomic<UInt64>(0)
    let bytesRead = Atomic<UInt64>(0)
    let demandBlocks = Atomic<UInt64>(0)
    let readaheadBlocks = Atomic<UInt64>(0)
    let prefetchBlocks = Atomic<UInt64>(0)

    /// Takes note of a block that a store is asked for.
    func count(_ fetchClass: FetchClass) {
        switch fetchClass {
        case .demand: demandBlocks.count()
        case .readahead: readaheadBlocks.count()
        case .prefetch: prefetchBlocks.count()
        }
    }

    var snapshot: ContentStatistics {
        ContentStatistics(
            localReads: localReads.load(ordering: .relaxed),
            parkedReads: parkedReads.load(ordering: .relaxed),
            failedReads: failedReads.load(ordering: .relaxed),
            bytesRead: bytesRead.load(ordering: .relaxed),
            demandBlocks: demandBlocks.load(ordering: .relaxed),
            readaheadBlocks: readaheadBlocks.load(ordering: .relaxed),
            prefetchBlocks: prefetchBlocks.load(ordering: .relaxed))
    }
}

extension Atomic where Value == UInt64 {
    /// Adds to a counter that nothing else is ordered by.
    @inline(__always)
    func count(_ amount: UInt64 = 1) { wrappingAdd(amount, ordering: .relaxed) }
}
