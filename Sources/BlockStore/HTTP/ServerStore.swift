internal import BlockCodec
public import Support

/// The block interface of an rfs server: `<base>/api/v1/block/<id>`. Thread-safe.
public final class ServerStore: BlockStore {
    private let base: HTTPAddress
    private let token: String?
    private let client: HTTPClient

    /// `base` is an http or https address. Writing needs a token of the server's signin.
    /// `timeout` bounds one write, and one batch of `contains`.
    public init(base: String, token: String?, timeout: Duration = .seconds(60)) {
        self.base = HTTPAddress(base)
        self.token = token
        client = HTTPClient(origin: self.base.origin, timeout: timeout)
    }

    public var address: String { "server://\(base.shown)" }

    public func get(_ requests: [StoreRequest]) {
        client.get(requests) { block in
            var request = client.request(url(block.id), for: block)
            request.credentials = base.credentials
            return request
        }
    }

    /// The server names a block by its own hash of it, so only ids of 32 bytes can be written.
    public func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError) {
        guard let token else {
            throw .refused("writing needs a token: sign in to the server and add ?token=... to the address")
        }
        guard id.count == 32 else {
            throw .refused("an rfs server names blocks by 32 bytes, this one has \(id.count); choose another codec")
        }
        // The server wants both parameters of every block; they only feed its listings of files.
        var request = client.request(.post, "\(base.base)/api/v1/block?file_hash=&idx=0")
        request.headers = ["Authorization: Bearer \(token)"]
        request.body = HTTPRequest.Body(bytes: stored)
        try client.send(request, accepted: [200, 201])
    }

    public func contains(_ ids: [Digest]) throws(StoreError) -> [Bool] {
        try client.contains(ids) { id in
            var request = client.request(.head, url(id))
            request.credentials = base.credentials
            return request
        }
    }

    public var parallelRequests: Int? { client.parallelRequests }

    public func close() { client.close() }

    private func url(_ id: Digest) -> String { base.appending("api/v1/block/\(id)") }
}
