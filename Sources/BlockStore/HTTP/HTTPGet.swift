public import Support

/// A GET request for a file, or for the part of it that is missing.
public struct HTTPGet {
    public var address: HTTPAddress
    /// Its `limit` is that of the whole file, also when only the rest is asked for.
    public var options: HTTPDownload.Options
    /// Asks for the file from the byte `offset` on, where it still is what `validator` says, else for all of it.
    public var resume: (offset: UInt64, validator: HTTPValidator)?
    /// Asks for the file only if it is no longer what this says; status 304 otherwise.
    public var unless: HTTPValidator?
    /// Asked about once a second, by the thread that makes the request: true ends it as `abandoned`. Must not block.
    public var isAbandoned: (() -> Bool)?

    public init(_ address: HTTPAddress, options: HTTPDownload.Options = .init()) {
        self.address = address
        self.options = options
    }

    var headers: [String] {
        var lines: [String] = []
        if let resume { lines.append("If-Range: \(resume.validator.text)") }
        if let unless { lines.append("\(unless.isTag ? "If-None-Match" : "If-Modified-Since"): \(unless.text)") }
        return lines
    }
}

/// Takes a body as it arrives. Used by the thread that makes the request only.
public protocol HTTPSink: AnyObject {
    /// Drops all that came before: the body begins anew.
    func restart() throws(Errno)
    /// Takes the next bytes of the file. `total` is the length of the whole file, where the server told it.
    func append(_ bytes: UnsafeRawBufferPointer, total: UInt64?) throws(Errno)
}

/// What came of a request.
public struct HTTPAnswer: Sendable {
    /// Of the last answer, redirects followed; nil when none came.
    public let head: HTTPHead?
    /// Bytes of the file that the sink has now, those before a resumed request included.
    public let length: UInt64
    /// Nil when the answer came to its end, whatever its status. Only statuses 200 and 206 bring a body.
    public let failure: HTTPFailure?
}

/// Why an answer did not come, or not to its end. The texts name no address.
public enum HTTPFailure: Error, Hashable, Sendable {
    /// No connection, or a connection that broke.
    case unreachable(String)
    /// The connection ended within the body, after so many bytes of the file.
    case brokenOff(UInt64)
    case timedOut(String)
    /// The server's certificate is not trusted.
    case untrusted(String)
    /// The server sent another part of the file than the missing one: what the sink has is of no use.
    case wrongPart
    /// The file has more bytes than `limit` allows.
    case tooLarge
    /// The sink failed.
    case notWritten(Errno)
    /// `isAbandoned` said so.
    case abandoned
    /// The address cannot be used, or redirects lead nowhere.
    case refused(String)
}
