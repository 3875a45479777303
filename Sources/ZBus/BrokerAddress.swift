internal import Redis
public import Support

/// Where the redis of the bus listens.
///
/// | form | broker |
/// |---|---|
/// | `unix:///path/to/socket` | a unix socket |
/// | `tcp://host[:6379]` | a host, IPv6 in brackets |
/// | `tcp://password@host[:6379]` | the same with AUTH, as zbus writes it |
///
/// Path, password and host are percent-decoded. `description` holds no secrets.
public struct BrokerAddress: Sendable, Hashable, CustomStringConvertible {
    let endpoint: RedisEndpoint
    let password: String?

    private static let defaultPort: UInt16 = 6379

    /// Takes an address apart. Throws `usage` with what is wrong (no secrets) and the remedy.
    public init(parsing text: String) throws(FlistError) {
        if text.hasPrefix("unix://") {
            self = try BrokerAddress(socket: text.dropFirst("unix://".count))
        } else if text.hasPrefix("tcp://") {
            self = try BrokerAddress(host: text.dropFirst("tcp://".count))
        } else {
            // Not shown: there may be a password in it.
            throw Self.usage("the address of a broker begins with unix:// or tcp://")
        }
    }

    private init(endpoint: RedisEndpoint, password: String?) {
        self.endpoint = endpoint
        self.password = password
    }

    private init(socket text: Substring) throws(FlistError) {
        guard let path = PercentEncoding.decode(text.utf8) else { throw Self.usage("a broken %-escape in the path") }
        guard path.hasPrefix("/"), path.utf8.count > 1 else {
            throw Self.usage("the path of a broker's socket is absolute: unix:// and then /path")
        }
        guard path.utf8.count < 108 else {
            throw Self.usage("the path of a unix socket has at most 107 bytes, this one \(path.utf8.count)")
        }
        self.init(endpoint: .socket(path: path), password: nil)
    }

    private init(host text: Substring) throws(FlistError) {
        var rest = text
        var password: String?
        if let at = rest.lastIndex(of: "@") {
            let user = rest[..<at]
            rest = rest[rest.index(after: at)...]
            guard !user.contains(":") else {
                throw Self.usage("a broker takes a password alone, without a user; write a : in it as %3A")
            }
            guard let decoded = PercentEncoding.decode(user.utf8), !decoded.isEmpty else {
                throw Self.usage("an empty password, or a broken %-escape in it")
            }
            password = decoded
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.contains(where: { "/?#".contains($0) }) else {
            throw Self.usage("nothing may follow the port; write a / in the password as %2F")
        }
        let (name, port) = try Self.split(rest)
        self.init(endpoint: .host(name, port: port), password: password)
    }

    private static func split(_ text: Substring) throws(FlistError) -> (String, UInt16) {
        let (name, rest): (Substring, Substring)
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw usage("the ] after an IPv6 address is missing") }
            (name, rest) = (text[text.index(after: text.startIndex)..<end], text[text.index(after: end)...])
        } else {
            name = text.prefix { $0 != ":" }
            rest = text[name.endIndex...]
            guard rest.filter({ $0 == ":" }).count <= 1 else {
                throw usage("an IPv6 address stands in brackets: [::1]")
            }
        }
        guard let host = PercentEncoding.decode(name.utf8), !host.isEmpty else {
            throw usage("the host is missing, or its %-escapes are broken")
        }
        guard !rest.isEmpty else { return (host, defaultPort) }
        guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()), port > 0 else {
            throw usage("the port is a number from 1 to 65535, not \(rest.drop { $0 == ":" })")
        }
        return (host, port)
    }

    private static func usage(_ problem: String) -> FlistError {
        FlistError(.usage, "\(problem) (as in unix:///var/run/redis.sock or tcp://[password@]host:6379)")
    }

    public var description: String {
        switch endpoint {
        case .socket(let path): "unix://" + PercentEncoding.encode(path, keepingSlashes: true)
        case .host(let name, let port):
            "tcp://" + (password == nil ? "" : "***@") + (name.contains(":") ? "[\(name)]" : name) + ":\(port)"
        }
    }
}
