internal import CHiredis
internal import Glibc
internal import Support

/// A blocking connection to a server of the Redis protocol.
///
/// Everything blocks, at most as long as the timeouts say. Used by one thread at a time: whoever has borrowed it.
/// Once something broke (`isBroken`) every further call throws; only `refused` leaves it usable.
///
/// One answer may have `replyLimit` bytes in all, and 1,024 elements in any array: what the server declares is never
/// believed, hiredis gets bytes from us only as long as they are within the limit.
public final class RedisLink: @unchecked Sendable {
    private var context: UnsafeMutablePointer<redisContext>?
    private let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
    private let replyLimit: Int
    /// True once something broke: the link must not be used again.
    public private(set) var isBroken = false

    /// Connects; blocks, DNS included. No credentials are sent.
    ///
    /// - Parameters:
    ///   - connectTimeout: for each address of a host.
    ///   - commandTimeout: for each wait for the socket, so for blocking commands well above what they may take.
    ///   - replyLimit: the most bytes that one answer may have.
    public init(
        _ endpoint: RedisEndpoint, connectTimeout: Duration, commandTimeout: Duration, replyLimit: Int = 1 << 30
    ) throws(RedisError) {
        self.replyLimit = replyLimit
        let time = Self.timeval(connectTimeout)
        switch endpoint {
        case .socket(let path):
            // hiredis would cut it, and connect to something else.
            guard path.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path), !path.utf8.contains(0) else {
                throw .unreachable("the path is too long for a unix socket: \(path)")
            }
            context = redisConnectUnixWithTimeout(path, time)
        case .host(let name, let port):
            context = redisConnectWithTimeout(name, Int32(port), time)
        }
        guard let context else { throw .unreachable("out of memory") }
        guard context.pointee.err == 0 else { throw .unreachable(Self.message(of: context)) }
        hiredis_limit_arrays(context, functions)
        redisSetTimeout(context, Self.timeval(commandTimeout))
        // Programs that others start in the meantime must not hold it.
        _ = fcntl(context.pointee.fd, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        if let context { redisFree(context) }
        functions.deallocate()
    }

    /// Changes the time that each wait for the socket may take.
    public func setCommandTimeout(_ timeout: Duration) {
        if let context { redisSetTimeout(context, Self.timeval(timeout)) }
    }

    /// Gives away the socket, non-blocking; the link is closed then.
    public func releaseDescriptor() throws(RedisError) -> Int32 {
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

    /// Sends all commands, then takes all replies. The first error reply is thrown as `refused`, after all were taken.
    public func commands(_ commands: [[UnsafeRawBufferPointer]]) throws(RedisError) -> [RedisReply] {
        guard let context, !isBroken else { throw .unreachable("the connection is closed") }
        return try PipeSignal.heldBack { () throws(RedisError) in
            for words in commands {
                var pointers = words.map { $0.baseAddress?.assumingMemoryBound(to: CChar.self) }
                let lengths = words.map(\.count)
                guard redisAppendCommandArgv(context, Int32(words.count), &pointers, lengths) == REDIS_OK else {
                    throw broken(context)
                }
            }
            var isSent: Int32 = 0
            while isSent == 0 {
                guard redisBufferWrite(context, &isSent) == REDIS_OK else { throw broken(context) }
            }
            var replies: [RedisReply] = []
            var refusal: RedisError?
            for _ in commands {
                let reply = try self.reply(context)
                if case .error(let reason) = reply { refusal = refusal ?? .refused(reason) }
                replies.append(reply)
            }
            if let refusal { throw refusal }
            return replies
        }
    }

    private func reply(_ context: UnsafeMutablePointer<redisContext>) throws(RedisError) -> RedisReply {
        var received = 0
        while true {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReplyFromReader(context, &raw) == REDIS_OK else { throw broken(context) }
            if let raw {
                defer { freeReplyObject(raw) }
                return RedisReply(raw.assumingMemoryBound(to: redisReply.self).pointee)
            }
            guard received <= replyLimit else {
                isBroken = true
                throw .protocolViolation("an answer of more than \(ByteCount(UInt64(replyLimit)))")
            }
            let before = context.pointee.reader.pointee.len
            guard redisBufferRead(context) == REDIS_OK else { throw broken(context) }
            received += Int(context.pointee.reader.pointee.len &- before)
        }
    }

    private func broken(_ context: UnsafeMutablePointer<redisContext>) -> RedisError {
        let code = Errno.current
        isBroken = true
        switch context.pointee.err {
        case REDIS_ERR_IO where code == .again || code == .timedOut: return .timedOut
        case REDIS_ERR_PROTOCOL: return .protocolViolation(Self.message(of: context))
        case REDIS_ERR_OOM: return .protocolViolation("an array that is too long, or no memory for it")
        default: return .unreachable(Self.message(of: context))
        }
    }

    private static func message(of context: UnsafeMutablePointer<redisContext>) -> String {
        withUnsafeBytes(of: context.pointee.errstr) { bytes in RedisReply.printable(bytes.prefix { $0 != 0 }) }
    }

    private static func timeval(_ duration: Duration) -> timeval {
        let (seconds, attoseconds) = max(duration, .milliseconds(1)).components
        return Glibc.timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
