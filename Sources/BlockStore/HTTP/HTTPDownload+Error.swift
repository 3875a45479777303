internal import Support

extension HTTPDownload {
    /// Nil when the whole file is there.
    static func error(_ answer: HTTPAnswer, _ name: String, _ options: Options) -> FlistError? {
        let what = "cannot download \(name)"
        if let failure = answer.failure { return error(failure, what, options) }
        guard let head = answer.head, head.status != 200 else { return nil }
        return FlistError(kind(ofStatus: head.status), "\(what): \(head.statusText)\(remedy(head.status))")
    }

    private static func error(_ failure: HTTPFailure, _ what: String, _ options: Options) -> FlistError {
        switch failure {
        case .unreachable(let why), .refused(let why): FlistError(.unavailable, "\(what): \(why)")
        case .timedOut(let why): FlistError(.timedOut, "\(what): \(why)")
        case .untrusted(let why):
            FlistError(
                .unavailable,
                "\(what): \(why): the server's certificate is not trusted; check the clock and the package "
                    + "ca-certificates")
        case .brokenOff(let count):
            FlistError(.unavailable, "\(what): the connection ended after \(ByteCount(count)); try again")
        case .wrongPart: FlistError(.unavailable, "\(what): the server sent a part of it only")
        case .abandoned: FlistError(.unavailable, "\(what): it was broken off")
        case .tooLarge:
            FlistError(.invalid, "\(what): it has more than the \(ByteCount(options.limit)) that are allowed")
        case .notWritten(let errno):
            FlistError("\(what): the file cannot be written; free space may be short", errno: errno)
        }
    }

    private static func kind(ofStatus status: Int) -> FlistError.Code {
        switch status {
        case 404, 410: .notFound
        case 401, 403, 407: .permission
        default: .unavailable
        }
    }

    private static func remedy(_ status: Int) -> String {
        switch status {
        case 401, 403: "; put user and password into the address: https://user:password@..."
        case 404, 410: ""
        case 429, 500...: "; the server cannot serve it now, try again later"
        default: ""
        }
    }
}
