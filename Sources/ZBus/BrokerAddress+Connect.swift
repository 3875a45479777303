internal import Redis
internal import Support

extension BrokerAddress {
    /// How long connecting may take, for each address of a host, and then every answer until the link is ready.
    private static let connectTimeout = Duration.seconds(5)
    /// More than a request may have, so that one that is too large is popped, logged and dropped.
    private static let replyLimit = 64 << 20

    /// Connects, logs in, and makes sure that commands are taken: a server that still loads its data refuses. Blocks.
    ///
    /// - Parameter commandTimeout: well above what blocking commands may take: an answer that comes later is lost.
    func connect(_ scope: ConnectScope?, commandTimeout: Duration) throws(RedisError) -> RedisLink {
        let link = try open(scope, min(Self.connectTimeout, commandTimeout))
        if let password {
            do throws(RedisError) {
                try link.command("AUTH", password)
            } catch .refused(let reason) {
                throw .refused("the password is not taken: \(reason)")
            }
        }
        try link.command("PING")
        link.setCommandTimeout(commandTimeout)
        return link
    }

    private func open(_ scope: ConnectScope?, _ timeout: Duration) throws(RedisError) -> RedisLink {
        var result: Result<RedisLink, RedisError> = .failure(.unreachable("the connect scope did not connect"))
        let connect = {
            do throws(RedisError) {
                result = .success(
                    try RedisLink(
                        endpoint, connectTimeout: timeout, commandTimeout: timeout,
                        replyLimit: Self.replyLimit))
            } catch {
                result = .failure(error)
            }
        }
        if let scope {
            do throws(FlistError) { try scope(connect) } catch { throw .unreachable(error.description) }
        } else {
            connect()
        }
        return try result.get()
    }
}
