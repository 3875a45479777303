internal import Support

/// Where a flist says that blocks whose ids begin with certain bytes are kept.
public struct ImageRoute: Hashable, Sendable {
    /// The lowest first byte of the ids, inclusive.
    public var start: UInt8
    /// The highest first byte of the ids, inclusive.
    public var end: UInt8
    /// As written in the flist; may hold a password or a token.
    public var url: String

    public init(start: UInt8, end: UInt8, url: String) {
        self.start = start
        self.end = end
        self.url = url
    }

    /// Bytes of an address, as rfs declares the column.
    static let maximumLength = 2048

    /// - Throws: `usage` for what readers refuse.
    func check() throws(FlistError) {
        guard url.utf8.count <= Self.maximumLength else {
            throw FlistError(
                .usage,
                "the address of a store has \(url.utf8.count) bytes: a flist holds \(Self.maximumLength) at most")
        }
    }
}

/// The `backend` record of a `.flist`: the 0-db that holds its blocks.
public struct ImageBackend: Hashable, Sendable {
    public var host: String
    public var port: UInt16
    public var namespace: String?
    public var password: String?
    /// The path of a unix socket.
    public var socket: String?
    public var token: String?

    public init(
        host: String, port: UInt16, namespace: String? = nil, password: String? = nil, socket: String? = nil,
        token: String? = nil
    ) {
        self.host = host
        self.port = port
        self.namespace = namespace
        self.password = password
        self.socket = socket
        self.token = token
    }
}
