internal import BlockCodec

/// A complete answer, of whatever status.
struct HTTPResponse: Sendable {
    let status: Int
    /// The body of a 200; nil when that was empty, and for every other status.
    let body: BlockBuffer?
    /// The beginning of any other status's body, for messages.
    let errorText: [UInt8]

    /// What the answer means for a block that was asked for.
    var block: Result<BlockBuffer, StoreError> {
        if let error { return .failure(error) }
        guard let body else { return .failure(.protocolViolation("the body is empty")) }
        return .success(body)
    }

    /// Nil for a 200; `missing` for what is not there; `busy` for what asks to come back; otherwise `refused`, with status
    /// and reason.
    var error: StoreError? {
        switch status {
        case 200: nil
        // A missing bucket is a wrong address, not a missing block.
        case 404 where errorCode == "NoSuchBucket": .refused(reason)
        case 404, 410: .missing
        case 429, 502, 503, 504: .busy(reason)
        case 300...: .refused(reason)
        default: .protocolViolation("unexpected status \(reason)")
        }
    }

    /// `503 Service Unavailable`, with the code of an S3 error behind it in parentheses, and what to do about it.
    var reason: String {
        let code = errorCode.map { " (\($0)\(Self.remedies[$0].map { ": \($0)" } ?? ""))" } ?? ""
        return HTTPStatus.text(status) + code
    }

    /// For the codes of "Error responses" in the S3 API reference that a wrong address or clock leads to.
    private static let remedies = [
        "AuthorizationHeaderMalformed": "check the region", "InvalidAccessKeyId": "check the access key",
        "NoSuchBucket": "check the bucket's name", "RequestTimeTooSkewed": "check this machine's clock",
        "SignatureDoesNotMatch": "check the secret key",
    ]

    /// The text of the first `<Code>` element, which is how S3 names its errors.
    var errorCode: String? {
        let text = String(decoding: errorText, as: Unicode.ASCII.self)
        guard let start = text.firstRange(of: "<Code>") else { return nil }
        let code = text[start.upperBound...].prefix { $0.isASCII && $0.isLetter }
        return code.isEmpty || code.count > 64 ? nil : String(code)
    }
}

/// Names of status codes: HTTP/2 does not send them. See the registry of RFC 9110 §16.2.
enum HTTPStatus {
    static func name(_ status: Int) -> String? { names[status] }

    /// `404 Not Found`; the number alone where the registry has no name.
    static func text(_ status: Int) -> String { name(status).map { "\(status) \($0)" } ?? "\(status)" }

    private static let names: [Int: String] = [
        200: "OK", 201: "Created", 204: "No Content", 206: "Partial Content",
        301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect",
        308: "Permanent Redirect",
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        402: "Payment Required", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
        409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large",
        414: "URI Too Long", 416: "Range Not Satisfiable",
        418: "I'm a teapot", 421: "Misdirected Request", 423: "Locked", 429: "Too Many Requests",
        431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
        504: "Gateway Timeout", 505: "HTTP Version Not Supported", 507: "Insufficient Storage", 508: "Loop Detected",
        511: "Network Authentication Required",
    ]
}
