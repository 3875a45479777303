internal import BlockStore
internal import FlistImage
internal import Logging
internal import Support

/// Puts together where the blocks of a flist are looked for.
///
/// The order: the routing file named by the user, the stores named by the user, then what the flist itself says (its
/// `route` rows, its `router.yaml`, its `backend`). Where none of them names a store, the user's fallback does.
enum FlistRoutes {
    static func table(
        for index: TreeIndex, stores choice: StoreChoice, logger: Logger
    ) throws(FlistError) -> RouteTable {
        var lookup = choice.router?.lookup ?? []
        var caches = choice.router?.caches ?? []
        if !choice.stores.isEmpty { lookup.append(RoutePool(name: "--store", routes: choice.stores)) }
        do {
            let own = try own(of: index)
            lookup += own.lookup
            caches += own.caches
        } catch {
            // A stranger's bad address must not spoil stores that the user named.
            guard !lookup.isEmpty || !choice.fallback.isEmpty else { throw error }
            logger.warning("the flist's own stores are left out", metadata: ["error": "\(error)"])
        }
        if lookup.isEmpty, !choice.fallback.isEmpty {
            lookup.append(RoutePool(name: "fallback", routes: choice.fallback))
        }
        guard !lookup.isEmpty || index.summary.blockReferences == 0 else {
            throw FlistError(
                .usage,
                "the flist does not say where its blocks are: name a store, as in --store zdb://hub.grid.tf:9900")
        }
        return RouteTable(lookup: lookup, caches: caches)
    }

    private static func own(of index: TreeIndex) throws(FlistError) -> RouteTable {
        var lookup: [RoutePool] = []
        var caches: [RoutePool] = []
        if !index.routes.isEmpty {
            var routes: [StoreRoute] = []
            for route in index.routes {
                let range = try RouteRange(first: [route.start], last: [route.end])
                routes.append(StoreRoute(range: range, url: try StoreURL(parsing: route.url)))
            }
            lookup.append(RoutePool(name: "flist", routes: routes))
        }
        if let yaml = index.routerYAML {
            let table = try RouteTable.parse(routerYAML: yaml, name: "the flist's router.yaml")
            lookup += table.lookup
            caches += table.caches
        }
        if let backend = index.backend {
            let url = try StoreURL.zdb(
                host: backend.host, port: backend.port, namespace: backend.namespace, password: backend.password,
                token: backend.token, socket: backend.socket)
            lookup.append(RoutePool(name: "backend", routes: [StoreRoute(url: url)]))
        }
        return RouteTable(lookup: lookup, caches: caches)
    }
}
