internal import Logging
internal import Redis
internal import Support
internal import Synchronization

/// The way to the broker for all threads of a server: connects, and tells the log once of each outage and of its end.
///
/// Thread-safe.
final class BrokerLine: Sendable {
    let address: BrokerAddress
    let logger: Logger
    private let scope: ConnectScope?
    /// Since when there is no connection; nil while there is one, and before the first attempt.
    private let downSince = Mutex<Deadline?>(nil)

    init(_ address: BrokerAddress, _ scope: ConnectScope?, _ logger: Logger) {
        self.address = address
        self.scope = scope
        self.logger = logger
    }

    /// Connects. Blocks.
    func connect(commandTimeout: Duration) throws(RedisError) -> RedisLink {
        do throws(RedisError) {
            let link = try address.connect(scope, commandTimeout: commandTimeout)
            up()
            return link
        } catch {
            down(error)
            throw error
        }
    }

    /// Notes that a connection broke.
    func down(_ error: RedisError) {
        let isNew = downSince.withLock { since in
            defer { since = since ?? .now }
            return since == nil
        }
        guard isNew else { return }
        logger.warning("no connection to the broker \(address), trying again until there is one: \(error)")
    }

    private func up() {
        let since = downSince.withLock { since in
            defer { since = nil }
            return since
        }
        guard let since else { return }
        let seconds = (Deadline.now.nanoseconds - since.nanoseconds) / 1_000_000_000
        logger.notice("connected to the broker \(address) again after \(seconds) s")
    }
}
