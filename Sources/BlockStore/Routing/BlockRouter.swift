internal import BlockCodec
public import Support

/// Chooses the stores for a block id, and owns them: one store per distinct address. Thread-safe.
public final class BlockRouter: Sendable {
    /// More routes than this are refused: a flist may hold any number of rows.
    public static let maximumRoutes = 16384

    private struct Entry {
        let pool: Int
        let range: RouteRange
        let store: RoutedStore
    }

    public let table: RouteTable
    /// Every store of the table once, in its order.
    public let stores: [RoutedStore]
    // Lookup routes by the first byte of the ids they match, in the table's order.
    private let lookup: [[Entry]]
    private let caches: [[Entry]]
    private let cacheStores: Set<StoreURL>
    private let cacheWriter = CacheWriter()

    /// Takes up the table; stores are opened when first used. Throws `invalid` for too many routes.
    ///
    /// - Parameter opening: Makes a store from its address; `StoreURL.open` by default.
    public init(
        _ table: RouteTable,
        opening: @escaping RoutedStore.Opening = { (url: StoreURL) throws(FlistError) in try url.open() }
    ) throws(FlistError) {
        let count = (table.lookup + table.caches).reduce(0) { $0 + $1.routes.count }
        guard count <= Self.maximumRoutes else {
            throw FlistError(.invalid, "\(count) routes to stores are too many, at most \(Self.maximumRoutes) may be")
        }
        var known: [StoreURL: RoutedStore] = [:]
        var stores: [RoutedStore] = []
        func entries(_ pools: [RoutePool]) -> [[Entry]] {
            var byFirst = [[Entry]](repeating: [], count: 256)
            for (index, pool) in pools.enumerated() {
                for route in pool.routes {
                    let store = known[route.url] ?? RoutedStore(route.url, opening: opening)
                    if known.updateValue(store, forKey: route.url) == nil { stores.append(store) }
                    let entry = Entry(pool: index, range: route.range, store: store)
                    guard let first = route.range.first.first, let last = route.range.last.first, first <= last else {
                        continue
                    }
                    for byte in first...last { byFirst[Int(byte)].append(entry) }
                }
            }
            return byFirst
        }
        self.table = table
        lookup = entries(table.lookup)
        caches = entries(table.caches)
        cacheStores = Set(table.caches.flatMap { $0.routes.map(\.url) })
        self.stores = stores
    }

    /// The stores to try for a block, best first, each once; empty when no route matches.
    ///
    /// Pools in order, the healthy ones of a pool in random order; behind them all that failed a short while ago.
    public func replicas(for id: Digest) -> [RoutedStore] {
        let matching = lookup[Int(id.first)].filter { $0.range.contains(id) }
        guard matching.count > 1 else { return matching.map(\.store) }
        var seen: Set<ObjectIdentifier> = []
        let ranked = matching.filter { seen.insert(ObjectIdentifier($0.store)).inserted }
            .map { (entry: $0, rank: $0.store.isHealthy ? $0.pool : Int.max, lot: UInt32.random(in: 0...UInt32.max)) }
        return ranked.sorted { ($0.rank, $0.lot) < ($1.rank, $1.lot) }.map(\.entry.store)
    }

    /// Writes blocks, each to every store whose route matches. Blocks; throws at the first store that fails, naming it.
    public func put(_ blocks: [StoredBlock]) throws(FlistError) {
        var shares: [ObjectIdentifier: (store: RoutedStore, blocks: [StoredBlock])] = [:]
        for block in blocks {
            for store in try targets(of: block.id) {
                shares[ObjectIdentifier(store), default: (store, [])].blocks.append(block)
            }
        }
        for (store, share) in shares.values { try store.put(share) }
    }

    public func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(FlistError) {
        try put([StoredBlock(id, stored)])
    }

    /// The stores that a block is written to, each once.
    func targets(of id: Digest) throws(FlistError) -> [RoutedStore] {
        let matching = lookup[Int(id.first)].filter { $0.range.contains(id) }
        var stores: [RoutedStore] = []
        for entry in matching where !stores.contains(where: { $0 === entry.store }) { stores.append(entry.store) }
        guard !stores.isEmpty else {
            throw FlistError(.notFound, "no route leads to a store for block \(id); add a store for its range")
        }
        return stores
    }

    /// Copies verified stored bytes to every cache pool, in the background, unless they came from one.
    ///
    /// As in 0-fs a pool gets it once: the first of its routes that matches.
    func copyToCaches(_ id: Digest, _ stored: BlockBuffer, from source: RoutedStore) {
        guard !cacheStores.isEmpty, !cacheStores.contains(source.url) else { return }
        var pools: Set<Int> = []
        for entry in caches[Int(id.first)] where entry.range.contains(id) && pools.insert(entry.pool).inserted {
            cacheWriter.enqueue(CacheWriter.Copy(id: id, stored: stored, target: entry.store))
        }
    }

    /// Blocks that could not be copied to a cache pool since its writer was behind.
    public var droppedCopies: UInt64 { cacheWriter.dropped }

    /// Ends connections and threads of all stores; reads under way are cancelled.
    public func close() {
        cacheWriter.close()
        for store in stores { store.close() }
    }

    deinit { close() }
}
