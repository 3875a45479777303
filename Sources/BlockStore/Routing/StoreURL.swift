public import Support

/// The address of a block store, taken apart and checked.
///
/// | form | store |
/// |---|---|
/// | `dir:///folder` | files in a folder |
/// | `zdb://[user:password@]host[:9900][/namespace]` | 0-db; likewise `redis` (6379) and `ardb` (16379) |
/// | `zdb://password@host:port` | the same with AUTH, as 0-fs writes it |
/// | `zdb:///path/to/socket[?namespace=ns]` | 0-db on a unix socket |
/// | `http[s]://host[:port][/base]` | a static web server |
/// | `s3[s]://access:secret@host:port/bucket[?region=r]` | an S3 bucket over http or https |
/// | `server://http[s]://host[:port][?token=t]` | an rfs server |
///
/// User, password, host, namespace and query values are percent-decoded; the path is kept as written, as rfs does.
/// `?connections=N` bounds the connections to a network store. `description` holds no secrets.
public struct StoreURL: Sendable, Hashable, CustomStringConvertible {
    /// The kinds of stores.
    public enum Scheme: String, Sendable, Hashable, CaseIterable {
        case dir, zdb, redis, ardb, http, https, s3, s3s, server

        /// True for the schemes that speak the Redis protocol.
        public var isRedis: Bool { self == .zdb || self == .redis || self == .ardb }
    }

    /// One `name=value` of the query, decoded.
    public struct QueryItem: Sendable, Hashable {
        public let name: String
        public let value: String
    }

    public let scheme: Scheme
    /// The scheme inside `server://`: `http` or `https`; nil otherwise.
    public let innerScheme: Scheme?
    public let user: String?
    public let password: String?
    /// Name or number of the host, IPv6 without brackets; nil for folders and unix sockets.
    public let host: String?
    /// The port as written, nil when left out.
    public let port: UInt16?
    /// From the first `/` on, not decoded; empty when there is none.
    public let path: String
    public let query: [QueryItem]

    /// Takes an address apart. Throws `usage` with the address (no secrets) and the remedy.
    public init(parsing text: String) throws(FlistError) {
        let parts = try StoreURLParser.parse(text)
        scheme = parts.scheme
        innerScheme = parts.innerScheme
        user = parts.user
        password = parts.password
        host = parts.host
        port = parts.port
        path = parts.path
        query = parts.query
    }

    /// The first value of that name in the query.
    public func queryValue(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// The bearer token of an rfs server (`?token=`).
    public var token: String? { queryValue("token") }

    /// How many connections to open at most (`?connections=`), 1 to 256; nil when not said.
    public var connections: Int? { queryValue("connections").flatMap { Int($0) } }

    /// The written port, else the scheme's own: zdb 9900, redis 6379, ardb 16379, http 80, https 443.
    public var effectivePort: UInt16 {
        if let port { return port }
        switch innerScheme ?? scheme {
        case .redis: return 6379
        case .ardb: return 16379
        case .http, .s3: return 80
        case .https, .s3s: return 443
        case .zdb, .dir, .server: return 9900
        }
    }

    /// The path of a unix socket, for the Redis schemes without a host.
    public var socketPath: String? { scheme.isRedis && host == nil ? path : nil }

    /// The namespace to SELECT: the last segment of the path, or `?namespace=`; nil for none and for `default`.
    public var namespace: String? {
        guard scheme.isRedis else { return nil }
        var name = queryValue("namespace")
        if name == nil, host != nil, let segment = path.split(separator: "/").last {
            name = PercentEncoding.decode(segment.utf8) ?? String(segment)
        }
        return name == "default" || name == "" ? nil : name
    }
}
