/// The parts of an http address that matter here: user and password are kept apart from what is shown.
struct HTTPAddress: Sendable, Hashable {
    /// Scheme, host, port and path, without a slash at the end.
    let base: String
    /// With its question mark; empty when there is none.
    let query: String
    let credentials: HTTPRequest.Credentials?

    /// Reads `http[s]://[user[:password]@]host[:port][/path][?query]`. Anything else is left for libcurl to refuse.
    init(_ text: String) {
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
                user: PercentEncoding.decode(user), password: PercentEncoding.decode(password))
            rest = rest[whole.index(after: at)...]
        } else {
            credentials = nil
        }
        while rest.last == "/" { rest = rest.dropLast() }
        base = String(whole[..<afterScheme]) + rest
    }

    /// The address as a person may see it: no user, no password, no query.
    var shown: String { base }

    /// Scheme, host and port.
    var origin: String {
        let afterScheme = base.firstRange(of: "://")?.upperBound ?? base.startIndex
        return String(base[..<afterScheme]) + base[afterScheme...].prefix { $0 != "/" }
    }

    /// The address of something below the base.
    func appending(_ path: String) -> String { "\(base)/\(path)\(query)" }
}

/// RFC 3986 §2.1.
enum PercentEncoding {
    /// Sequences that are not of `%` and two digits stay as they are.
    static func decode(_ text: some StringProtocol) -> String {
        let input = Array(text.utf8)
        var output: [UInt8] = []
        var position = 0
        while position < input.count {
            if input[position] == UInt8(ascii: "%"), input.count - position > 2,
                let value = UInt8(String(decoding: input[position + 1...position + 2], as: UTF8.self), radix: 16)
            {
                output.append(value)
                position += 3
            } else {
                output.append(input[position])
                position += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Everything but unreserved characters and slashes, as AWS signs a path.
    static func encodePath(_ text: String) -> String {
        var output = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                output.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                output += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return output
    }
}
