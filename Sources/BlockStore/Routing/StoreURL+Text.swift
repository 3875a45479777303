internal import Support

extension StoreURL {
    /// For people: scheme, host, port and path; no user, password or query.
    public var description: String { text(user: nil, password: nil, query: []) }

    /// As rfs writes it into a flist: without password and token.
    ///
    /// The lone user of a Redis address goes too: 0-fs means it as the password.
    public var withoutPassword: String {
        let kept = scheme.isRedis && password == nil ? nil : user
        return text(user: kept, password: nil, query: query.filter { $0.name != "token" })
    }

    /// The whole address, secrets included: for `pack --no-strip-password`, never for logs.
    public var withPassword: String { text(user: user, password: password, query: query) }

    private func text(user: String?, password: String?, query: [QueryItem]) -> String {
        var text = scheme.rawValue + "://"
        if let innerScheme { text += innerScheme.rawValue + "://" }
        if user != nil || password != nil {
            text += PercentEncoding.encode(user ?? "")
            if let password { text += ":" + PercentEncoding.encode(password) }
            text += "@"
        }
        if let host { text += host.contains(":") ? "[\(Self.escapedScope(host))]" : host }
        if let port { text += ":\(port)" }
        text += path
        for (index, item) in query.enumerated() {
            text += index == 0 ? "?" : "&"
            text += PercentEncoding.encode(item.name) + "=" + PercentEncoding.encode(item.value)
        }
        return text
    }

    /// The '%' before an IPv6 scope is itself escaped in addresses (RFC 6874).
    private static func escapedScope(_ host: String) -> String {
        host.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%25")
    }

    /// What may be shown of an address that could not be taken apart: nothing before `@`, nothing behind `?`, and at most
    /// 200 characters.
    static func redacted(_ text: String) -> String {
        var shown = text[...]
        if let at = text.lastIndex(of: "@") {
            // A password may hold '@', '/' and '?': hide up to the last '@', and all where that may be within a query.
            let scheme = text.range(ofScheme: "://").map { text[..<$0] } ?? ""
            let isQuery = text[..<at].contains("?")
            shown = "\(scheme)…\(isQuery ? "" : text[at...])"
        }
        let result = shown.prefix { $0 != "?" }.prefix(200).map { character in
            let isOdd = character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
            return isOdd ? "?" : character
        }
        return "\"\(String(result))\""
    }
}

extension String {
    /// The index behind the first occurrence of `separator`.
    fileprivate func range(ofScheme separator: String) -> Index? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(separator) { return index(start, offsetBy: separator.count) }
            start = index(after: start)
        }
        return nil
    }
}
