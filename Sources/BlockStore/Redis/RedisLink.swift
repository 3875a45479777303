internal import CHiredis
internal import Glibc
internal import Support

/// A blocking connection to a server of the Redis protocol, ready for use: authenticated, namespace selected.
///
/// hiredis connects and talks here; reads of blocks take over the descriptor (see `RedisConnection`).
/// Used by one thread at a time: whoever has borrowed it.
final class RedisLink: @unchecked Sendable {
    enum Reply: Equatable {
        case null
        case integer(Int64)
        case bytes([UInt8])
        case status(String)
        case other
    }

    private var context: UnsafeMutablePointer<redisContext>?
    /// True once something broke: the link must not be used again.
    private(set) var isBroken = false

    /// Connects; blocks, DNS included.
    init(_ url: StoreURL, timeout: Duration) throws(StoreError) {
        let (seconds, attoseconds) = timeout.components
        let time = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        if let path = url.socketPath {
            context = redisConnectUnixWithTimeout(path, time)
        } else {
            context = redisConnectWithTimeout(url.host ?? "", Int32(url.effectivePort), time)
        }
        guard let context else { throw .unreachable("out of memory") }
        guard context.pointee.err == 0 else { throw .unreachable(Self.message(of: context)) }
        redisSetTimeout(context, time)
        try logIn(url)
    }

    deinit { if let context { redisFree(context) } }

    /// Gives away the socket, non-blocking.
    func releaseDescriptor() throws(StoreError) -> Int32 {
        guard let context else { throw .unreachable("the connection is closed") }
        self.context = nil
        let fd = redisFreeKeepFd(context)
        var on: Int32 = 1
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, socklen_t(MemoryLayout<Int32>.size))
        let flags = fcntl(fd, F_GETFL)
        guard flags >= 0, fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0, fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 else {
            close(fd)
            throw .unreachable("cannot make the socket non-blocking")
        }
        return fd
    }

    /// Sends all commands, then takes all replies. An error reply is thrown as `refused`.
    func commands(_ commands: [[UnsafeRawBufferPointer]]) throws(StoreError) -> [Reply] {
        guard let context, !isBroken else { throw .unreachable("the connection is closed") }
        let signals = Self.holdBackPipeSignal()
        defer { Self.restore(signals) }
        for words in commands {
            var pointers = words.map { $0.baseAddress?.assumingMemoryBound(to: CChar.self) }
            let lengths = words.map(\.count)
            guard redisAppendCommandArgv(context, Int32(words.count), &pointers, lengths) == REDIS_OK else {
                throw broken(context)
            }
        }
        var replies: [Reply] = []
        var refusal: StoreError?
        for _ in commands {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReply(context, &raw) == REDIS_OK, let raw else { throw broken(context) }
            defer { freeReplyObject(raw) }
            let reply = raw.assumingMemoryBound(to: redisReply.self).pointee
            let text = UnsafeRawBufferPointer(start: reply.str, count: reply.str == nil ? 0 : Int(reply.len))
            switch reply.type {
            case REDIS_REPLY_NIL: replies.append(.null)
            case REDIS_REPLY_INTEGER: replies.append(.integer(reply.integer))
            case REDIS_REPLY_STRING: replies.append(.bytes([UInt8](text)))
            case REDIS_REPLY_STATUS: replies.append(.status(RedisReplyReader.printable(text)))
            case REDIS_REPLY_ERROR: refusal = refusal ?? .refused(RedisReplyReader.printable(text))
            default: replies.append(.other)
            }
        }
        if let refusal { throw refusal }
        return replies
    }

    /// One command of texts.
    @discardableResult
    func command(_ words: String...) throws(StoreError) -> Reply {
        let bytes = words.map { [UInt8]($0.utf8) }
        let all = bytes.flatMap { $0 }
        let result = all.withUnsafeBytes { buffer -> Result<Reply, StoreError> in
            var start = 0
            let parts = bytes.map { word in
                defer { start += word.count }
                return UnsafeRawBufferPointer(rebasing: buffer[start..<(start + word.count)])
            }
            do throws(StoreError) {
                return .success(try commands([parts]).first ?? .other)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
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
            switch words.count {
            case 2: try command(words[0], words[1])
            default: try command(words[0], words[1], words[2])
            }
        } catch .refused(let reason) {
            throw .refused("the server does not take \(what): \(reason)")
        }
    }

    /// hiredis writes with `write`, and a closed connection then raises SIGPIPE in the thread of whoever called us.
    private static func holdBackPipeSignal() -> sigset_t {
        var (pipe, old) = (sigset_t(), sigset_t())
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &old)
        return old
    }

    /// Takes away a signal that was held back, unless the caller did not want it anyway.
    private static func restore(_ signals: sigset_t) {
        var (pipe, old) = (sigset_t(), signals)
        guard sigismember(&old, SIGPIPE) == 0 else { return }
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        var none = timespec()
        sigtimedwait(&pipe, nil, &none)
        pthread_sigmask(SIG_SETMASK, &old, nil)
    }

    private func broken(_ context: UnsafeMutablePointer<redisContext>) -> StoreError {
        isBroken = true
        let code = Errno.current
        if context.pointee.err == REDIS_ERR_IO, code == .again || code == .timedOut { return .timedOut }
        if context.pointee.err == REDIS_ERR_PROTOCOL { return .protocolViolation(Self.message(of: context)) }
        return .unreachable(Self.message(of: context))
    }

    private static func message(of context: UnsafeMutablePointer<redisContext>) -> String {
        withUnsafeBytes(of: context.pointee.errstr) { bytes in
            RedisReplyReader.printable(UnsafeRawBufferPointer(rebasing: bytes.prefix { $0 != 0 }))
        }
    }
}
