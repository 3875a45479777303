/// Where blocks are looked for, and where copies go.
public struct RouteTable: Sendable, Hashable {
    /// Tried in order; inside a pool all matching routes are equal.
    public var lookup: [RoutePool]
    /// What is read from another pool is written to each of these.
    public var caches: [RoutePool]

    public init(lookup: [RoutePool] = [], caches: [RoutePool] = []) {
        self.lookup = lookup
        self.caches = caches
    }

    /// One pool of the given routes, the form of rfs' `route` table and of `--store`.
    public init(routes: [StoreRoute], name: String = "stores") {
        self.init(lookup: routes.isEmpty ? [] : [RoutePool(name: name, routes: routes)])
    }

    /// This table's pools first, then the other's: a local router goes before a flist's own.
    public func merged(with other: RouteTable) -> RouteTable {
        RouteTable(lookup: lookup + other.lookup, caches: caches + other.caches)
    }
}
