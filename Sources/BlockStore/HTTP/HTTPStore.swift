internal import BlockCodec
public import Support
internal import Synchronization

/// Blocks as files on a web server, read only: `<base>/<2 digits>/<id>` or `<base>/<id>`, as rfs lays them out.
///
/// Both layouts are looked at before a block counts as missing; the one that answered last is asked first.
/// Thread-safe.
public final class HTTPStore: BlockStore {
    private enum Layout: UInt8 {
        case split, flat

        var other: Layout { self == .split ? .flat : .split }

        func path(_ id: Digest) -> String {
            let name = id.description
            return self == .flat ? name : "\(name.prefix(2))/\(name)"
        }
    }

    private let base: HTTPAddress
    private let client: HTTPClient
    private let layout = Atomic(Layout.split.rawValue)

    /// `base` is an http or https address; user and password in it are sent as basic authentication.
    /// `timeout` bounds one batch of `contains`.
    public convenience init(base: String, timeout: Duration = .seconds(30)) {
        self.init(base: base, timeout: timeout, engine: .shared)
    }

    init(base: String, timeout: Duration, engine: HTTPEngine) {
        self.base = HTTPAddress(base)
        client = HTTPClient(origin: self.base.origin, timeout: timeout, engine: engine)
    }

    public var address: String { base.shown }

    public func get(_ requests: [StoreRequest]) {
        let layout = preferredLayout
        client.engine.submit(requests.map { job($0, layout, isSecond: false) })
    }

    /// Always refuses: web servers are filled by other means.
    public func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError) {
        throw .refused("read only: write the blocks into the folder that the web server shows, with a dir:// store")
    }

    public func contains(_ ids: [Digest]) throws(StoreError) -> [Bool] {
        let layout = preferredLayout
        var found = try contains(ids, layout)
        let missing = ids.indices.filter { !found[$0] }
        guard !missing.isEmpty else { return found }
        let others = try contains(missing.map { ids[$0] }, layout.other)
        for (index, isThere) in zip(missing, others) { found[index] = isThere }
        if others.contains(true) { self.layout.store(layout.other.rawValue, ordering: .relaxed) }
        return found
    }

    public var parallelRequests: Int? { client.parallelRequests }

    public func close() { client.close() }

    private var preferredLayout: Layout { Layout(rawValue: layout.load(ordering: .relaxed)) ?? .split }

    private func contains(_ ids: [Digest], _ layout: Layout) throws(StoreError) -> [Bool] {
        try client.contains(ids) { id in
            var request = client.request(.head, base.appending(layout.path(id)))
            request.credentials = base.credentials
            return request
        }
    }

    private func job(_ block: StoreRequest, _ layout: Layout, isSecond: Bool) -> HTTPJob {
        var request = client.request(base.appending(layout.path(block.id)), for: block)
        request.credentials = base.credentials
        return HTTPJob(request: request, owner: client.owner) { [self] result in
            let answer = result.flatMap(\.block)
            switch answer {
            case .failure(.missing) where !isSecond:
                client.engine.submit([job(block, layout.other, isSecond: true)])
                return
            case .success where isSecond:
                self.layout.store(layout.rawValue, ordering: .relaxed)
            default: break
            }
            block.complete(answer)
        }
    }
}
