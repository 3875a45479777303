import BlockCodec
import BlockStore
import Support

/// A fetcher over scripted stores, one pool each, in order.
final class FetchFixture: Sendable {
    let stores: [ScriptedStore]
    let router: BlockRouter
    let fetcher: BlockFetcher
    let results = Outcomes<Result<Digest, FetchError>>()

    /// - Parameter other: one whose fetcher this one uses, with stores of its own at the same addresses.
    init(
        stores count: Int = 1, caches: [Int] = [], _ options: FetcherOptions = FetcherOptions(),
        beside other: FetchFixture? = nil
    ) throws {
        let stores = (0..<count).map { _ in ScriptedStore() }
        self.stores = stores
        let pools = try (0..<count).map {
            RoutePool(name: "\($0)", routes: [StoreRoute(url: try StoreURL(parsing: "zdb://host\($0)"))])
        }
        router = try BlockRouter(RouteTable(lookup: pools, caches: caches.map { pools[$0] })) {
            url throws(FlistError) in
            stores[Int(url.description.dropFirst("zdb://host".count)) ?? 0]
        }
        fetcher = other?.fetcher ?? BlockFetcher(options: options)
    }

    @discardableResult
    func fetch(_ block: TestBlock, _ fetchClass: FetchClass = .demand, deadline: Deadline? = nil) -> FetchTicket {
        fetcher.fetch(block.reference, from: router, fetchClass, deadline: deadline) { [results] in
            results.add(hashed($0))
        }
    }

    /// The store's request of that number, in the order they came.
    func request(_ number: Int, of store: Int = 0) throws -> StoreRequest {
        let requests = stores[store].requests.wait(for: number + 1)
        guard requests.count > number else { throw FlistError(.timedOut, "the store was not asked") }
        return requests[number]
    }

    func statistics(_ store: Int = 0) -> StoreStatistics { router.stores[store].statistics }
}

extension Result where Success == Digest, Failure == FetchError {
    var failure: FetchError? { if case .failure(let error) = self { error } else { nil } }
}
