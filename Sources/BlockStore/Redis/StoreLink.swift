internal import Redis
internal import Support

/// A blocking connection to a store of the Redis protocol, ready for use: authenticated, namespace selected.
///
/// Reads of blocks take over the descriptor (see `RedisConnection`).
/// Used by one thread at a time: whoever has borrowed it.
struct StoreLink: Sendable {
    /// Stores answer such a link with numbers and short lines.
    private static let replyLimit = 1 << 20

    private let link: RedisLink

    /// Connects and logs in; blocks, DNS included. `timeout` is for connecting, and then for every reply.
    init(_ url: StoreURL, timeout: Duration) throws(StoreError) {
        let endpoint = url.socketPath.map { RedisEndpoint.socket(path: $0) }
        let server = endpoint ?? .host(url.host ?? "", port: url.effectivePort)
        link = try Self.storeError { () throws(RedisError) in
            try RedisLink(server, connectTimeout: timeout, commandTimeout: timeout, replyLimit: Self.replyLimit)
        }
        try logIn(url)
    }

    /// True once something broke: the link must not be used again.
    var isBroken: Bool { link.isBroken }

    /// Gives away the socket, non-blocking.
    func releaseDescriptor() throws(StoreError) -> Int32 {
        try Self.storeError { () throws(RedisError) in try link.releaseDescriptor() }
    }

    /// Sends all commands, then takes all replies. An error reply is thrown as `refused`.
    func commands(_ commands: [[UnsafeRawBufferPointer]]) throws(StoreError) -> [RedisReply] {
        try Self.storeError { () throws(RedisError) in try link.commands(commands) }
    }

    /// As `commands`, with words that are copied.
    func pipeline(_ commands: [[[UInt8]]]) throws(StoreError) -> [RedisReply] {
        try Self.storeError { () throws(RedisError) in try link.pipeline(commands) }
    }

    private func logIn(_ url: StoreURL) throws(StoreError) {
        let namespace = url.namespace
        if let token = url.user, url.password == nil {
            // The form of 0-fs: what stands before '@' is the password.
            try login("the password", "AUTH", token)
        } else if let password = url.password, url.scheme == .redis {
            if let user = url.user {
                try login("user and password", "AUTH", user, password)
            } else {
                try login("the password", "AUTH", password)
            }
        } else if namespace == nil, let password = url.password {
            // rfs never sends it; a plain redis behind a zdb address needs it, and refuses reads if it is wrong.
            do throws(StoreError) { try command("AUTH", password) } catch .refused {}
        }
        guard let namespace else { return }
        if let password = url.password, url.scheme != .redis {
            try login("the namespace \(namespace) with its password", "SELECT", namespace, password)
        } else {
            try login("the namespace \(namespace)", "SELECT", namespace)
        }
    }

    private func login(_ what: String, _ words: String...) throws(StoreError) {
        do throws(StoreError) {
            try command(words)
        } catch .refused(let reason) {
            throw .refused("the server does not take \(what): \(reason)")
        }
    }

    private func command(_ words: String...) throws(StoreError) { try command(words) }

    private func command(_ words: [String]) throws(StoreError) { _ = try pipeline([words.map { [UInt8]($0.utf8) }]) }

    private static func storeError<Value>(_ body: () throws(RedisError) -> Value) throws(StoreError) -> Value {
        do throws(RedisError) {
            return try body()
        } catch {
            switch error {
            case .unreachable(let reason): throw .unreachable(reason)
            case .timedOut: throw .timedOut
            case .refused(let reason): throw StoreError(redis: reason)
            case .protocolViolation(let reason): throw .protocolViolation(reason)
            }
        }
    }
}

extension StoreError {
    /// What a server's error reply means: the first word is its kind.
    init(redis reply: String) {
        // Of redis: it reads its file, runs a script, moves keys, or has lost its master.
        let passing = ["LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN"]
        self = passing.contains(String(reply.prefix { $0 != " " })) ? .busy(reply) : .refused(reply)
    }
}
