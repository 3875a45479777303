internal import BlockCodec
internal import Support
internal import Synchronization

/// What the three HTTP stores share: their place in the engine, and batches of existence checks.
struct HTTPClient: Sendable {
    let engine: HTTPEngine
    let owner: HTTPOwner
    /// For requests that have no deadline of their own: writing, and asking for existence.
    let timeout: Duration

    /// `origin` is scheme, host and port.
    init(origin: String, timeout: Duration, engine: HTTPEngine = .shared) {
        self.engine = engine
        owner = HTTPOwner(origin: origin, engine.options)
        self.timeout = timeout
    }

    /// Requests that go out at once; the others wait in the engine.
    var parallelRequests: Int { owner.parallelRequests.load(ordering: .relaxed) }

    /// Requests of a batch that wait together; the deadline is that of the batch.
    private static let batch = 256

    /// The GET request for a block.
    func request(_ url: String, for block: StoreRequest) -> HTTPRequest {
        var request = HTTPRequest(.get, url, maximumLength: block.maximumLength, deadline: block.deadline)
        request.patience = block.patience
        request.isAbandoned = { block.isFinished }
        let progress = ProgressClock()
        block.follow(progress)
        request.progressed = {
            progress.tick()
            block.store.tick()
        }
        return request
    }

    /// A request without an answer of interest.
    func request(_ method: HTTPRequest.Method, _ url: String) -> HTTPRequest {
        var request = HTTPRequest(method, url, maximumLength: 64 << 10, deadline: .after(timeout))
        request.patience = timeout
        return request
    }

    /// Starts reads whose answers complete their blocks.
    func get(_ blocks: [StoreRequest], _ request: (StoreRequest) -> HTTPRequest) {
        engine.submit(
            blocks.map { block in
                HTTPJob(request: request(block), owner: owner) { block.complete($0.flatMap(\.block)) }
            })
    }

    /// Sends a block and waits; any status of `accepted` is success.
    func send(_ request: HTTPRequest, accepted: Set<Int>) throws(StoreError) {
        let response = try engine.perform(request, for: owner)
        guard !accepted.contains(response.status) else { return }
        switch response.error {
        // Not a missing block but a missing place to put it: the word would mislead.
        case nil, .missing: throw .refused(response.reason)
        case .some(let error): throw error
        }
    }

    /// Asks for each with HEAD and waits.
    func contains(
        _ ids: [Digest], _ request: (Digest) -> HTTPRequest
    ) throws(StoreError) -> [Bool] {
        var found: [Bool] = []
        found.reserveCapacity(ids.count)
        var rest = ids[...]
        while !rest.isEmpty {
            let requests = rest.prefix(Self.batch).map(request)
            rest = rest.dropFirst(Self.batch)
            for result in engine.perform(requests, for: owner) {
                switch try result.get().error {
                case nil: found.append(true)
                case .missing: found.append(false)
                case .some(let error): throw error
                }
            }
        }
        return found
    }

    func close() {
        owner.close()
        engine.sweep()
    }
}
