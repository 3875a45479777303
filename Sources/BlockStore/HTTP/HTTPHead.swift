internal import CCurl
internal import Support

/// What a server says of a file before its bytes.
public struct HTTPHead: Sendable {
    public let status: Int
    /// Bytes of the whole file, where told.
    public let total: UInt64?
    /// By which the file can be recognized later.
    public let validator: HTTPValidator?
    /// When to ask again, with the statuses 429 and 503.
    public let retryAfter: Duration?
    /// Where the part of a 206 begins.
    let partStart: UInt64?

    /// The status with its registered name, `404 Not Found`: never the server's own words.
    public var statusText: String { HTTPStatus.text(status) }

    /// Nil when no answer has come.
    init?(_ handle: CurlHandle) {
        status = handle.status
        guard status != 0 else { return nil }
        validator = HTTPValidator(handle)
        retryAfter = handle.retryAfter
        guard status == 206 else {
            (partStart, total) = (nil, handle.contentLength)
            return
        }
        let part = handle.header("Content-Range").flatMap(Self.parse)
        (partStart, total) = (part?.start, part?.total)
    }

    /// Reads `bytes 5-9/10` and `bytes 5-9/*` (RFC 9110 §14.4).
    static func parse(contentRange text: String) -> (start: UInt64, total: UInt64?)? {
        guard text.lowercased().hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let start = UInt64(ends[0]), let last = UInt64(ends[1]), start <= last else {
            return nil
        }
        guard parts[1] != "*" else { return (start, nil) }
        guard let total = UInt64(parts[1]), last < total else { return nil }
        return (start, total)
    }
}

/// What tells one version of a file from another, byte for byte (RFC 9110 §8.8): a strong ETag, or a date.
public struct HTTPValidator: Hashable, Sendable {
    /// As it stands in headers.
    public let text: String

    var isTag: Bool { text.hasPrefix("\"") }

    /// Longer ones are as good as none.
    private static let maximumLength = 512

    /// Nil unless it is an ETag, not a weak one, or a date. Printable ASCII: it is sent back in a header.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count <= Self.maximumLength, bytes.allSatisfy({ (0x20...0x7e).contains($0) }) else { return nil }
        self.text = text
        if isTag {
            guard bytes.count > 1, text.hasSuffix("\""), text.dropFirst().dropLast().utf8.allSatisfy({ $0 != 0x22 })
            else { return nil }
        } else {
            guard curl_getdate(text, nil) > 0 else { return nil }
        }
    }

    /// The strong ETag of an answer; else its Last-Modified, if by the server's clock that second was over.
    init?(_ handle: CurlHandle) {
        if let tag = handle.header("ETag").flatMap(HTTPValidator.init(_:)), tag.isTag {
            self = tag
            return
        }
        guard let modified = handle.header("Last-Modified").flatMap(HTTPValidator.init(_:)), !modified.isTag,
            let date = handle.header("Date").map({ curl_getdate($0, nil) }), date > curl_getdate(modified.text, nil)
        else { return nil }
        self = modified
    }
}
