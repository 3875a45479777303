internal import BlockStore
internal import Support

/// Why a request to a hub, or to the disk, brought nothing.
struct HubTrouble: Error {
    enum Kind {
        /// No answer came.
        case away
        /// The hub answered that it cannot answer now: too busy, or broken.
        case unable
        /// The hub's answer, which would be the same again.
        case answer
        /// Something on this machine.
        case local
    }

    let kind: Kind
    let code: FlistError.Code
    /// One line; names no address.
    let why: String
    var cause: (any Error)?
    /// The status of HTTP that it is; nil for all else.
    var status: Int?
    var isStatus: Bool { status != nil }
    /// Whether asking again may help.
    var mayRetry = true
    var retryAfter: Duration?
    /// More of the flist is here than after the attempts before.
    var madeProgress = false

    init(_ kind: Kind, _ code: FlistError.Code, _ why: String, cause: (any Error)? = nil, mayRetry: Bool = false) {
        self.kind = kind
        self.code = code
        self.why = why
        self.cause = cause
        self.mayRetry = mayRetry
    }

    /// The hub's owner ended it.
    static let closed = HubTrouble(.local, .unavailable, "the service is being stopped")

    /// A failed call of this system: `what` names the deed.
    init(_ what: String, _ errno: Errno) {
        let remedy = [.noSpace, .quotaExceeded].contains(errno) ? "; make room on the disk" : ""
        self.init(.local, FlistError(what, errno: errno).code, what + remedy, cause: errno)
    }

    /// Of an answer; nil when that is a success, with status 200, 206 or 304.
    init?(_ answer: HTTPAnswer, limit: UInt64) {
        if let failure = answer.failure {
            self.init(failure, limit: limit)
            return
        }
        guard let head = answer.head, ![200, 206, 304].contains(head.status) else { return nil }
        let text = head.statusText
        switch head.status {
        case 408, 429, 500...:
            self.init(.unable, .unavailable, text, mayRetry: true)
            retryAfter = head.retryAfter
        // The part asked for does not exist: the file is another by now.
        case 416: self.init(.unable, .unavailable, text, mayRetry: true)
        case 404, 410: self.init(.answer, .notFound, text)
        case 401, 403, 407: self.init(.answer, .permission, text)
        default: self.init(.answer, .unavailable, text)
        }
        status = head.status
    }

    init(_ failure: HTTPFailure, limit: UInt64) {
        switch failure {
        case .unreachable(let why): self.init(.away, .unavailable, why, mayRetry: true)
        case .brokenOff(let count):
            self.init(.away, .unavailable, "the connection ended after \(ByteCount(count))", mayRetry: true)
        case .timedOut(let why): self.init(.away, .timedOut, why, mayRetry: true)
        case .untrusted(let why):
            // A node whose clock is not yet set sees this, too: what was fetched before is as good as it was.
            let remedy = "the certificate is not trusted; check the clock and the package ca-certificates"
            self.init(.away, .unavailable, "\(why): \(remedy)")
        case .wrongPart: self.init(.unable, .unavailable, "the hub sent another part than the missing", mayRetry: true)
        case .abandoned: self = .closed
        case .tooLarge:
            self.init(.answer, .invalid, "it has more than the \(ByteCount(limit)) that are allowed")
        case .notWritten(let errno):
            self.init("it cannot be written", errno)
        case .refused(let why): self.init(.answer, .unavailable, why)
        }
    }
}
