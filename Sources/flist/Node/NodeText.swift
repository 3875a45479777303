internal import FlistManager
internal import ProgramSupport
internal import Support

/// What a node serves, for people.
struct NodeText {
    let report: NodeReport
    /// What was so at an earlier moment, for rates; nil for none.
    var earlier: NodeReport?

    var lines: [String] {
        var lines = head
        for table in [mounts, flists, stores] where !table.isEmpty { lines += [""] + table.lines }
        if mounts.isEmpty { lines += ["", "nothing is mounted"] }
        return lines
    }

    private var head: [String] {
        var facts: [(String, String)] = [
            ("flistd", "\(report.version), process \(report.pid), up \(Self.span(report.seconds)), root \(report.root)")
        ]
        if let bus = report.bus {
            let busy = bus.workers.filter(\.isBusy)
            facts.append(
                (
                    "bus",
                    "\(bus.broker), \(bus.isConnected ? "connected" : "NOT CONNECTED"); "
                        + "\(busy.count) of \(bus.workers.count) workers busy"
                ))
            for worker in busy { facts.append(("", "\(worker.action) for \(Self.span(worker.seconds))")) }
        }
        if let cache = report.cache {
            let limit = cache.quota.map { " of \(ByteCount($0))" } ?? ""
            facts.append(
                (
                    "cache",
                    "\(ByteCount(cache.bytes))\(limit), \(cache.complete) contents, \(cache.partial) in part"
                        + (cache.damaged ?? 0 > 0 ? ", \(cache.damaged ?? 0) were DAMAGED on disk" : "")
                        + (cache.failures > 0 ? ", \(cache.failures) blocks NOT STORED" : "")
                ))
        }
        let reads = report.reads
        facts.append(
            (
                "reads",
                "\(reads.local) from the cache, \(reads.waited) waited, \(reads.failed) failed; "
                    + "\(ByteCount(reads.bytes))\(rate(\.reads.bytes))"
            ))
        let fetching = report.fetching
        let queued = ["demand", "readahead", "prefetch"].compactMap { name in
            fetching.queued[name].flatMap { $0 > 0 ? "\($0) \(name)" : nil }
        }
        facts.append(
            (
                "fetching",
                "\(fetching.inFlight) blocks under way (\(ByteCount(UInt64(max(0, fetching.inFlightBytes)))))"
                    + ", waiting: \(queued.isEmpty ? "none" : queued.joined(separator: ", ")); "
                    + "\(ByteCount(fetching.storedBytes)) fetched\(rate(\.fetching.storedBytes)), "
                    + "\(fetching.failures) blocks failed"
            ))
        return facts.map { $0.0 + String(repeating: " ", count: 10 - $0.0.count) + NameStyle.escaped($0.1) }
    }

    private var mounts: TextTable {
        var table = TextTable("MOUNT", "FLIST", " WRITTEN", " LIMIT", "PATH")
        for mount in report.mounts {
            let written = mount.isReadOnly ? "read-only" : mount.used.map { "\(ByteCount($0))" } ?? "?"
            table.add(
                mount.name, Self.short(mount.md5 ?? "?"), written,
                mount.limit.map { $0 == 0 ? "none" : "\(ByteCount($0))" } ?? "-", mount.path)
        }
        return table
    }

    private var flists: TextTable {
        var table = TextTable("FLIST", " MOUNTS", " ENTRIES", " SIZE", " READ", " WAITED", " FAILED", "OPENS", "FROM")
        for flist in report.flists {
            table.add(
                Self.short(flist.md5), flist.isMounted ? "\(flist.mounts)" : "ending", "\(flist.entries)",
                "\(ByteCount(flist.bytes))", "\(ByteCount(flist.reads.bytes))", "\(flist.reads.waited)",
                "\(flist.reads.failed)", flist.opens, flist.url.isEmpty ? "an earlier run" : flist.url)
        }
        return table
    }

    private var stores: TextTable {
        var table = TextTable("STORE", " BLOCKS", " BYTES", " UNDER WAY", " LATENCY", "STATE")
        for store in report.stores {
            let failures = store.failures.filter { $0.value > 0 }.sorted { $0.key < $1.key }
                .map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            let isAsked = store.blocks > 0 || store.inFlight > 0 || !failures.isEmpty
            let state = !store.isHealthy ? "LEFT ALONE for a while" : isAsked ? "good" : "not asked yet"
            table.add(
                store.address, "\(store.blocks)", "\(ByteCount(store.bytes))", "\(store.inFlight)",
                "\(Self.whole((store.latency * 1000).rounded())) ms",
                state + (failures.isEmpty ? "" : " (\(failures))"))
        }
        return table
    }

    /// `, 12.0 MiB/s` since the earlier report of the same process.
    private func rate(_ value: KeyPath<NodeReport, UInt64>) -> String {
        guard let earlier, earlier.pid == report.pid, report.seconds > earlier.seconds else { return "" }
        let (now, before) = (report[keyPath: value], earlier[keyPath: value])
        let perSecond = Double(now - min(now, before)) / (report.seconds - earlier.seconds)
        return ", \(ByteCount(UInt64(min(perSecond, 1e18))))/s"
    }

    /// Enough of a hash to tell it from others.
    private static func short(_ md5: String) -> String { String(md5.prefix(12)) }

    /// `3.2 s`, `5:07`, `2 d 3 h`.
    static func span(_ seconds: Double) -> String {
        if seconds < 60 { return "\(Double(whole(seconds * 10)) / 10) s" }
        if seconds < 86_400 { return ProgressText.clock(seconds) }
        let hours = whole(seconds / 3600)
        return "\(hours / 24) d \(hours % 24) h"
    }

    /// Rounded down. The figures come from another program, and may be anything.
    private static func whole(_ value: Double) -> Int { Int(min(max(0, value), 1e15)) }
}
