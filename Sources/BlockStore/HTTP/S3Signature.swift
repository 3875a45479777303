internal import BlockCodec
internal import Support

/// AWS Signature Version 4 with headers, as "Authenticating Requests (AWS Signature Version 4)" of the S3 API
/// reference has it. Pure; safe from any thread.
struct S3Signature: Sendable {
    let accessKey: String
    let secretKey: String
    let region: String
    var service = "s3"

    /// The hash of no bytes at all: what a request without a body is signed with.
    static let emptyHash = Hex.encode(SHA256.hash([]))

    /// What is signed of a request.
    struct Request {
        var method: String
        /// Encoded already, as it is sent.
        var path: String
        /// Encoded and sorted already, as it is sent, without the question mark.
        var query = ""
        /// Names in lower case.
        var headers: [(name: String, value: String)]
        /// Hexadecimal.
        var payloadHash: String
    }

    /// The value of the Authorization header. `time` is the one in the `x-amz-date` header.
    func authorization(for request: Request, at time: S3Time) -> String {
        let scope = "\(time.day)/\(region)/\(service)/aws4_request"
        let headers = request.headers.sorted { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let canonical = [
            request.method, request.path, request.query,
            headers.map { "\($0.name):\($0.value)\n" }.joined(), names, request.payloadHash,
        ].joined(separator: "\n")
        let toSign = [
            "AWS4-HMAC-SHA256", time.text, scope, Hex.encode(SHA256.hash(Array(canonical.utf8))),
        ].joined(separator: "\n")
        let signature = Hex.encode(HMACSHA256.authenticate(Array(toSign.utf8), key: signingKey(time.day)))
        return "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
    }

    private func signingKey(_ day: String) -> [UInt8] {
        [day, region, service, "aws4_request"].reduce(Array("AWS4\(secretKey)".utf8)) { key, part in
            HMACSHA256.authenticate(Array(part.utf8), key: key)
        }
    }
}
