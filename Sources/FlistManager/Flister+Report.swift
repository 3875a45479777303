internal import BlockCache
internal import BlockStore
internal import FUSESession
internal import FlistContent
internal import FlistFileSystem
internal import FlistImage
internal import Glibc
public import Support
internal import Volumes

extension Flister {
    /// What is served and waited for. Looks through the mount table, the volumes and the cache: milliseconds, and a
    /// second where the store of volumes does not answer.
    ///
    /// - Parameters:
    ///   - started: when the process began.
    ///   - bus: what the bus says of itself.
    public func report(version: String, started: Deadline, bus: NodeReport.Bus?) throws(FlistError) -> NodeReport {
        let mounts = try NodeMounts.current(folders)
        let sums = shared.sums
        let fetched = resources.fetcher.statistics
        return NodeReport(
            version: version, root: folders.root, pid: getpid(), seconds: started.secondsAgo,
            mounts: report(mounts.named), flists: report(of: mounts), reads: NodeReport.Reads(sums.reads),
            stores: sums.stores.map { NodeReport.Store($0, $1) }.sorted { $0.address < $1.address },
            fetching: NodeReport.Fetching(fetched), cache: resources.cache.map { NodeReport.Cache($0) }, bus: bus)
    }

    private func report(_ named: [NodeMounts.Named]) -> [NodeReport.Mount] {
        let volumes = figures.volumes(named.filter { $0.layers != nil }.map(\.name))
        return named.map { mount in
            let volume = volumes[mount.name].flatMap { mount.uses(folder: $0.path) ? $0 : nil }
            return NodeReport.Mount(
                name: mount.name.text, path: folders.path(of: mount.name), md5: mount.md5,
                isReadOnly: mount.layers == nil, used: volume?.used, limit: volume?.limit)
        }.sorted { $0.name < $1.name }
    }

    private func report(of mounts: NodeMounts) -> [NodeReport.Flist] {
        shared.all.map { mount in
            let summary = mount.flist.index.summary
            return NodeReport.Flist(
                md5: mount.md5, url: mount.hint.url, format: "\(summary.kind)", entries: summary.entries,
                bytes: summary.totalSize, mounts: mounts.named.count { $0.md5 == mount.md5 },
                isMounted: mounts.shared[mount.md5]?.device == mount.mount.device,
                opens: mount.mount.opens.rawValue, stores: mount.flist.router.stores.map(\.address),
                reads: NodeReport.Reads(mount.flist.content.statistics))
        }.sorted { $0.md5 < $1.md5 }
    }
}

extension Deadline {
    /// How long ago it was, in seconds.
    var secondsAgo: Double { Double(Deadline.now.nanoseconds &- min(nanoseconds, Deadline.now.nanoseconds)) / 1e9 }
}

extension NodeReport.Reads {
    init(_ statistics: ContentStatistics) {
        self.init(
            local: statistics.localReads, waited: statistics.parkedReads, failed: statistics.failedReads,
            bytes: statistics.bytesRead,
            blocks: [
                "demand": statistics.demandBlocks, "readahead": statistics.readaheadBlocks,
                "prefetch": statistics.prefetchBlocks,
            ])
    }
}

extension NodeReport.Store {
    init(_ address: String, _ sum: StoreSum) {
        self.init(
            address: address, isHealthy: sum.isHealthy, blocks: sum.blocks, bytes: sum.bytes, inFlight: sum.inFlight,
            latency: sum.latency / .seconds(1),
            failures: Dictionary(uniqueKeysWithValues: sum.failures.map { ($0.rawValue, $1) }))
    }
}

extension NodeReport.Fetching {
    init(_ statistics: FetchStatistics) {
        self.init(
            inFlight: statistics.inFlight, inFlightBytes: statistics.inFlightBytes,
            queued: Dictionary(uniqueKeysWithValues: statistics.queued.map { ("\($0)", $1) }),
            blocks: statistics.blocks, storedBytes: statistics.storedBytes, plainBytes: statistics.plainBytes,
            retries: statistics.retries, hedges: statistics.hedges, hedgesWon: statistics.hedgesWon,
            failures: statistics.failures)
    }
}

extension NodeReport.Cache {
    init(_ cache: BlockCache) {
        let statistics = cache.statistics()
        self.init(
            path: cache.folder, bytes: statistics.bytes, quota: statistics.quota, complete: statistics.objects,
            partial: statistics.partial, evictions: statistics.evictions, failures: statistics.failures,
            scrubbedBytes: statistics.scrubbedBytes, damaged: statistics.damaged)
    }
}
