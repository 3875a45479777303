internal import BlockCodec
public import Support

/// Blocks as objects in a bucket of an S3 server, path style: `/<bucket>/<id>`. Thread-safe.
///
/// Requests are signed with AWS Signature Version 4, and never follow redirects. The machine's clock must be right to
/// 15 minutes.
public final class S3Store: BlockStore {
    private let host: String
    private let root: String
    private let isEncrypted: Bool
    /// Nil for a bucket that everybody may read.
    private let signature: S3Signature?
    private let client: HTTPClient

    /// - Parameters:
    ///   - endpoint: Host and port; an IPv6 address in brackets.
    ///   - tls: Speak https.
    ///   - bucket: May have a path behind the bucket's name, as rfs allows.
    ///   - region: Empty means us-east-1: rfs gives none, and servers other than AWS's take this one.
    ///   - accessKey: Empty sends no signature at all.
    ///   - timeout: Bounds one write, and one batch of `contains`.
    public init(
        endpoint: String, tls: Bool, bucket: String, region: String, accessKey: String, secretKey: String,
        timeout: Duration = .seconds(60)
    ) {
        // The port of the scheme is not sent by clients nor expected by servers in a Host header (RFC 9110 §4.2.3).
        let usual = tls ? ":443" : ":80"
        host = endpoint.hasSuffix(usual) ? String(endpoint.dropLast(usual.utf8.count)) : endpoint
        var name = bucket[...]
        while name.first == "/" { name = name.dropFirst() }
        while name.last == "/" { name = name.dropLast() }
        root = "/" + PercentEncoding.encode(String(name), keepingSlashes: true)
        isEncrypted = tls
        signature =
            accessKey.isEmpty
            ? nil
            : S3Signature(
                accessKey: accessKey, secretKey: secretKey, region: region.isEmpty ? "us-east-1" : region)
        client = HTTPClient(origin: "\(tls ? "https" : "http")://\(host)", timeout: timeout)
    }

    public var address: String { "\(isEncrypted ? "s3s" : "s3")://\(host)\(root)" }

    public func get(_ requests: [StoreRequest]) {
        client.get(requests) { block in
            let url = url(block.id)
            return signed(client.request(url, for: block), block.id, S3Signature.emptyHash)
        }
    }

    public func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError) {
        var request = client.request(.put, url(id))
        request.body = HTTPRequest.Body(bytes: stored)
        try client.send(signed(request, id, Hex.encode(SHA256.hash(stored))), accepted: [200, 201, 204])
    }

    /// A missing bucket cannot be told from missing blocks: the answer to HEAD has no text.
    public func contains(_ ids: [Digest]) throws(StoreError) -> [Bool] {
        try client.contains(ids) { signed(client.request(.head, url($0)), $0, S3Signature.emptyHash) }
    }

    public var parallelRequests: Int? { client.parallelRequests }

    public func close() { client.close() }

    private func url(_ id: Digest) -> String { "\(isEncrypted ? "https" : "http")://\(host)\(path(id))" }

    private func path(_ id: Digest) -> String { "\(root)/\(id)" }

    private func signed(_ request: HTTPRequest, _ id: Digest, _ payloadHash: String) -> HTTPRequest {
        var request = request
        request.followsRedirects = false
        guard let signature else { return request }
        let time = S3Time.now
        let headers = [
            (name: "host", value: host), (name: "x-amz-content-sha256", value: payloadHash),
            (name: "x-amz-date", value: time.text),
        ]
        let authorization = signature.authorization(
            for: S3Signature.Request(
                method: request.method.rawValue, path: path(id), headers: headers, payloadHash: payloadHash),
            at: time)
        request.headers += headers.map { "\($0.name): \($0.value)" } + ["Authorization: \(authorization)"]
        return request
    }
}
