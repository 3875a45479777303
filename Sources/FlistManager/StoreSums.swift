internal import BlockStore
internal import FlistContent

/// What reading flists has cost, summed over flists.
struct StoreSums: Sendable {
    /// By address, without secrets.
    var stores: [String: StoreSum] = [:]
    var reads = ContentStatistics.none

    mutating func add(_ flist: OpenFlist) {
        reads.add(flist.content.statistics)
        for store in flist.router.stores { stores[store.address, default: StoreSum()].add(store.statistics) }
    }
}

/// What one store did for all flists.
struct StoreSum: Sendable {
    var blocks: UInt64 = 0
    var bytes: UInt64 = 0
    var failures: [StoreStatistics.Failure: UInt64] = [:]
    var inFlight = 0
    /// Of the slowest of its users.
    var latency: Duration = .zero
    var isHealthy = true

    mutating func add(_ statistics: StoreStatistics) {
        blocks += statistics.blocks
        bytes += statistics.bytes
        for (failure, count) in statistics.failures { failures[failure, default: 0] += count }
        inFlight += statistics.inFlight
        latency = max(latency, statistics.latency)
        isHealthy = isHealthy && statistics.isHealthy
    }
}
