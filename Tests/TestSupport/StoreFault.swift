public import Support

/// The kinds of stores that are reached over a network.
public enum StoreKind: String, CaseIterable, Sendable {
    case redis, http, s3
}

/// What a store may do wrong, and what a reader of one of its blocks has to get then: the table of conformance.
public enum StoreFault: String, CaseIterable, Sendable {
    case refuse, hangUp, resetAtOnce, resetInReply, endAtOnce, truncate
    case silent, stallInReply, trickle
    case wrongBlock, flippedBit, garbage, tooLarge, absent
    case error, noAccess, forbidden, tooMany, notNow, redirects
    case unknownHost, noTLS, untrusted

    /// What a reader gets when no other store has the block.
    public enum Outcome: Sendable, Equatable {
        case bytes
        /// The errno, the beginning of what the store is said to have done, and what the reader is told to do.
        case failure(Errno, String, remedy: String)
    }

    /// Whether there is such a fault with that kind of store.
    public func isPossible(with kind: StoreKind) -> Bool {
        switch self {
        case .redirects, .noTLS, .untrusted: kind != .redis
        default: true
        }
    }

    /// Whether a reader waits for the store as long as it may.
    public func isWaitedFor(of kind: StoreKind) -> Bool {
        switch outcome(of: kind) {
        case .failure(.io, let text, _): text.hasPrefix("busy")
        case .failure: true
        case .bytes: false
        }
    }

    /// What a proxy has to do with a reply of more than 2,000 bytes; nil where the store's address is what is wrong.
    ///
    /// - Parameter other: another block, as the store has it.
    public func proxyFault(_ kind: StoreKind, other: [UInt8]) -> FaultProxy.Fault? {
        switch self {
        case .refuse: .refuse
        case .hangUp: .hangUp
        case .resetAtOnce: .reset(after: 0)
        case .resetInReply: .reset(after: 1000)
        case .endAtOnce: .truncate(after: 0)
        case .truncate: .truncate(after: 1000)
        case .silent: .stall(after: 0)
        case .stallInReply: .stall(after: 1000)
        case .trickle: .trickle(bytes: 128, every: .milliseconds(40))
        case .flippedBit: .flipBits(every: 1500)
        case .garbage: .garbage([0, 1, 2, 10, 13, 10])
        case .wrongBlock: .garbage(Self.reply(kind, other))
        case .tooLarge:
            .garbage(Self.reply(kind, [UInt8](repeating: 7, count: 20_000)))
        case .absent: .garbage(kind == .redis ? Array("$-1\r\n".utf8) : Self.answer(404))
        case .error: .garbage(kind == .redis ? Array("-ERR broken\r\n".utf8) : Self.answer(500))
        case .noAccess: .garbage(kind == .redis ? Array("-NOAUTH who\r\n".utf8) : Self.answer(401))
        case .forbidden: .garbage(kind == .redis ? Array("-NOPERM no\r\n".utf8) : Self.answer(403))
        case .tooMany: .garbage(kind == .redis ? Array("-BUSY later\r\n".utf8) : Self.answer(429))
        case .notNow: .garbage(kind == .redis ? Array("-LOADING later\r\n".utf8) : Self.answer(503))
        case .redirects: .garbage(Self.answer(302, headers: ["Location: /again"]))
        case .unknownHost, .noTLS, .untrusted: nil
        }
    }

    /// What a reader of the block gets from this store alone.
    public func outcome(of kind: StoreKind) -> Outcome {
        let (reach, credentials) = (
            "check that the store runs and can be reached", "check the store's address and credentials"
        )
        let (copy, isRedis) = ("add a store with a good copy", kind == .redis)
        let later = "try again later"
        return switch self {
        case .trickle: .bytes
        case .refuse, .hangUp, .resetAtOnce, .resetInReply, .endAtOnce, .truncate, .unknownHost, .noTLS:
            .failure(.hostUnreachable, "unreachable: ", remedy: reach)
        case .silent, .stallInReply:
            .failure(
                .timedOut, "no answer in time",
                remedy: "check the network, or allow more time (mount: -o timeout=SECONDS)")
        case .wrongBlock, .flippedBit: .failure(.io, "the block is corrupt", remedy: copy)
        case .tooLarge: .failure(.io, "the answer is larger than any such block", remedy: copy)
        case .absent: .failure(.io, "the block is not there", remedy: "add a store that has it")
        case .garbage: .failure(.io, "protocol error: ", remedy: "check that the address is that of a store")
        case .error:
            .failure(
                .io, isRedis ? "refused: ERR broken" : "refused: 500 Internal Server Error", remedy: credentials)
        case .noAccess:
            .failure(.io, isRedis ? "refused: NOAUTH who" : "refused: 401 Unauthorized", remedy: credentials)
        case .forbidden: .failure(.io, isRedis ? "refused: NOPERM no" : "refused: 403 Forbidden", remedy: credentials)
        case .tooMany: .failure(.io, isRedis ? "busy: BUSY later" : "busy: 429 Too Many Requests", remedy: later)
        case .notNow: .failure(.io, isRedis ? "busy: LOADING later" : "busy: 503 Service Unavailable", remedy: later)
        case .redirects where kind == .s3: .failure(.io, "refused: 302 Found", remedy: credentials)
        case .redirects:
            .failure(
                .io, "protocol error: Maximum (5) redirects followed",
                remedy: "check that the address is that of a store")
        case .untrusted: .failure(.io, "refused: its certificate is not trusted", remedy: credentials)
        }
    }

    private static func reply(_ kind: StoreKind, _ block: [UInt8]) -> [UInt8] {
        kind == .redis ? Array("$\(block.count)\r\n".utf8) + block + [13, 10] : answer(200, block)
    }

    private static func answer(
        _ status: Int, headers: [String] = [], _ body: [UInt8] = Array("text".utf8)
    ) -> [UInt8] {
        let lines = ["HTTP/1.1 \(status) Because", "Content-Length: \(body.count)", "Connection: close"]
        return Array(((lines + headers).joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
    }
}
