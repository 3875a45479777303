internal import Support

/// The parts of an http address that matter here: user and password are kept apart from what is shown.
public struct HTTPAddress: Sendable, Hashable {
    /// Scheme, host, port and path, without a slash at the end.
    let base: String
    /// With its question mark; empty when there is none.
    let query: String
    let credentials: HTTPRequest.Credentials?

    private init(base: String, query: String, credentials: HTTPRequest.Credentials?) {
        self.base = base
        self.query = query
        self.credentials = credentials
    }

    /// Reads `http[s]://[user[:password]@]host[:port][/path][?query]`. Anything else is left for libcurl to refuse.
    public init(_ text: String) {
        let withoutFragment = text.prefix { $0 != "#" }
        let whole = withoutFragment.prefix { $0 != "?" }
        query = String(withoutFragment[whole.endIndex...])
        let afterScheme = whole.firstRange(of: "://")?.upperBound ?? whole.startIndex
        let authority = whole[afterScheme...].prefix { $0 != "/" }
        var rest = whole[afterScheme...]
        if let at = authority.lastIndex(of: "@") {
            let user = authority[..<at].prefix { $0 != ":" }
            let password = authority[user.endIndex..<at].dropFirst()
            credentials = HTTPRequest.Credentials(
                user: PercentEncoding.decode(user.utf8) ?? String(user),
                password: PercentEncoding.decode(password.utf8) ?? String(password))
            rest = rest[whole.index(after: at)...]
        } else {
            credentials = nil
        }
        while rest.last == "/" { rest = rest.dropLast() }
        base = String(whole[..<afterScheme]) + rest
    }

    /// The address as a person may see it: no user, no password, no query. Of one whose port is no number only the scheme:
    /// a password with a '/', '?' or '#' that is not escaped ends the host's part.
    public var shown: String {
        guard let afterScheme = base.firstRange(of: "://")?.upperBound else { return base }
        let host = base[afterScheme...].prefix { $0 != "/" }
        let behindAddress = host.lastIndex(of: "]").map { host[$0...] } ?? host
        let port = behindAddress.lastIndex(of: ":").map { behindAddress[$0...].dropFirst() } ?? ""
        return port.allSatisfy { $0.isASCII && $0.isNumber } ? base : "\(base[..<afterScheme])…"
    }

    /// Scheme, host and port.
    var origin: String {
        let afterScheme = base.firstRange(of: "://")?.upperBound ?? base.startIndex
        return String(base[..<afterScheme]) + base[afterScheme...].prefix { $0 != "/" }
    }

    /// The address as it is sent, which has the query but not user and password.
    var sent: String { base + query }

    /// The address of the file beside it whose path has `suffix` added; the query stays behind the path.
    public func addingToPath(_ suffix: String) -> HTTPAddress {
        HTTPAddress(base: base + suffix, query: query, credentials: credentials)
    }

    /// The address of something below the base.
    func appending(_ path: String) -> String { "\(base)/\(path)\(query)" }
}
