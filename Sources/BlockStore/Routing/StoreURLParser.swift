internal import Support

/// Takes an address apart byte by byte; what is wrong with it is told by throwing.
struct StoreURLParser {
    struct Parts {
        var scheme: StoreURL.Scheme
        var innerScheme: StoreURL.Scheme?
        var user: String?
        var password: String?
        var host: String?
        var port: UInt16?
        var path = ""
        var query: [StoreURL.QueryItem] = []
    }

    /// Longer addresses are mistakes: a flist could hold any amount of text here.
    private static let maximumLength = 4096

    private let text: String

    static func parse(_ text: String) throws(FlistError) -> Parts {
        let parser = StoreURLParser(text: text)
        guard text.utf8.count <= maximumLength else { throw parser.error("is longer than \(maximumLength) bytes") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw parser.error("holds a space or a control character; write it percent-encoded")
        }
        var (scheme, rest) = try parser.scheme(of: Array(text.utf8)[...])
        var parts = Parts(scheme: scheme)
        if scheme == .server {
            (scheme, rest) = try parser.scheme(of: rest)
            guard scheme == .http || scheme == .https else {
                throw parser.error("needs http:// or https:// behind server://, as in server://http://host:4000")
            }
            parts.innerScheme = scheme
        }
        try parser.split(rest, into: &parts)
        try parser.check(parts)
        return parts
    }

    private func error(_ what: String) -> FlistError {
        FlistError(.usage, "the store address \(StoreURL.redacted(text)) \(what)")
    }

    private func scheme(of text: ArraySlice<UInt8>) throws(FlistError) -> (StoreURL.Scheme, ArraySlice<UInt8>) {
        let known = "use dir, zdb, redis, ardb, http, https, s3, s3s or server"
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), text[colon...].starts(with: "://".utf8) else {
            throw error("has no scheme; \(known), as in zdb://host:9900/namespace")
        }
        let name = String(decoding: text[..<colon], as: UTF8.self).lowercased()
        guard let scheme = StoreURL.Scheme(rawValue: name) else { throw error("has an unknown scheme; \(known)") }
        return (scheme, text[(colon + 3)...])
    }

    private func split(_ text: ArraySlice<UInt8>, into parts: inout Parts) throws(FlistError) {
        guard !text.contains(UInt8(ascii: "#")) else { throw error("holds a '#'; write it as %23") }
        let question = text.firstIndex(of: UInt8(ascii: "?")) ?? text.endIndex
        let slash = text[..<question].firstIndex(of: UInt8(ascii: "/")) ?? question
        parts.path = String(decoding: text[slash..<question], as: UTF8.self)
        try authority(text[..<slash], into: &parts)
        for item in text[question...].dropFirst().split(separator: UInt8(ascii: "&")) {
            let equals = item.firstIndex(of: UInt8(ascii: "=")) ?? item.endIndex
            guard let name = PercentEncoding.decode(item[..<equals]),
                let value = PercentEncoding.decode(item[equals...].dropFirst())
            else { throw error("has a broken percent-escape in its query") }
            parts.query.append(StoreURL.QueryItem(name: name, value: value))
        }
    }

    private func authority(_ text: ArraySlice<UInt8>, into parts: inout Parts) throws(FlistError) {
        var host = text
        if let at = text.lastIndex(of: UInt8(ascii: "@")) {
            host = text[(at + 1)...]
            let colon = text[..<at].firstIndex(of: UInt8(ascii: ":"))
            guard let user = PercentEncoding.decode(text[..<(colon ?? at)]) else {
                throw error("has a broken percent-escape in its user")
            }
            parts.user = user.isEmpty ? nil : user
            if let colon {
                guard let password = PercentEncoding.decode(text[(colon + 1)..<at]) else {
                    throw error("has a broken percent-escape in its password")
                }
                parts.password = password.isEmpty ? nil : password
            }
        }
        var port: ArraySlice<UInt8>?
        if host.first == UInt8(ascii: "[") {
            guard let end = host.firstIndex(of: UInt8(ascii: "]")) else {
                throw error("has a '[' without ']'; write IPv6 as in zdb://[::1]:9900")
            }
            let after = host[(end + 1)...]
            guard after.isEmpty || after.first == UInt8(ascii: ":") else { throw error("has text behind the ']'") }
            port = after.isEmpty ? nil : after.dropFirst()
            host = host[(host.startIndex + 1)..<end]
            guard host.contains(UInt8(ascii: ":")), host.allSatisfy(Self.isIPv6) else {
                throw error("has no IPv6 address between '[' and ']'")
            }
        } else if let colon = host.firstIndex(of: UInt8(ascii: ":")) {
            port = host[(colon + 1)...]
            host = host[..<colon]
            guard port?.contains(UInt8(ascii: ":")) == false else {
                throw error("has more than one ':' in its host; write IPv6 in brackets, as in zdb://[::1]:9900")
            }
            guard !host.isEmpty else { throw error("has a port but no host") }
        }
        if let port {
            guard let number = UInt16(String(decoding: port, as: UTF8.self)), number > 0,
                port.allSatisfy({ (0x30...0x39).contains($0) })
            else { throw error("has a port that is no number from 1 to 65535") }
            parts.port = number
        }
        guard let name = PercentEncoding.decode(host), name.utf8.allSatisfy(Self.isHost) else {
            throw error("has a host name with characters that no host name has")
        }
        parts.host = name.isEmpty ? nil : name
    }

    private func check(_ parts: Parts) throws(FlistError) {
        if let count = parts.query.first(where: { $0.name == "connections" })?.value {
            guard let number = Int(count), (1...256).contains(number) else {
                throw error("has connections= with something else than 1 to 256")
            }
        }
        switch parts.scheme {
        case .dir:
            guard parts.host == nil, parts.user == nil, parts.password == nil, parts.path.count > 1 else {
                throw error("names no folder; write it with three slashes, as in dir:///srv/blocks")
            }
        case .zdb, .redis, .ardb:
            if parts.host == nil {
                guard parts.path.count > 1 else {
                    throw error("names no host; write zdb://host:9900/namespace, or zdb:///path for a unix socket")
                }
            } else {
                let segments = parts.path.utf8.split(separator: UInt8(ascii: "/"))
                guard segments.allSatisfy({ PercentEncoding.decode($0) != nil }) else {
                    throw error("has a broken percent-escape in its namespace")
                }
            }
        case .http, .https, .server:
            guard parts.host != nil else { throw error("names no host") }
        case .s3, .s3s:
            guard parts.host != nil, parts.port != nil, parts.path.contains(where: { $0 != "/" }) else {
                throw error("needs host, port and bucket, as in s3://access:secret@host:9000/bucket?region=us-east-1")
            }
        }
    }

    private static func isIPv6(_ byte: UInt8) -> Bool {
        // Digits and the name of an interface behind '%'.
        isHost(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
    }

    private static func isHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "%"), 0x80...:
            true
        default: false
        }
    }
}
