internal import Logging
internal import Redis
internal import Support

/// Sends answers over a connection of its own, again and again while the broker is away.
///
/// Belongs to one thread.
struct Replier {
    /// How long an answer waits to be fetched, and how long we try to send it.
    private static let lifetime = 300
    private static let commandTimeout = Duration.seconds(30)
    /// What redis says when it will take the answer later.
    private static let passing = [
        "LOADING", "OOM", "BUSY", "TRYAGAIN", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "MISCONF", "NOREPLICAS",
    ]

    private let line: BrokerLine
    private var link: RedisLink?

    init(_ line: BrokerLine) { self.line = line }

    /// Appends the answer to the list `key`, which goes when nobody fetches it.
    ///
    /// - Parameter pause: waits that long; false when it is time to give up.
    mutating func push(_ payload: [UInt8], to key: [UInt8], pause: (Duration) -> Bool) {
        let deadline = Deadline.after(.seconds(Self.lifetime))
        let commands = [
            [[UInt8]("RPUSH".utf8), key, payload],
            [[UInt8]("EXPIRE".utf8), key, [UInt8]("\(Self.lifetime)".utf8)],
        ]
        var backoff = Backoff()
        while true {
            let isOld = link != nil
            do throws(RedisError) {
                let current: RedisLink
                if let link { current = link } else { current = try line.connect(commandTimeout: Self.commandTimeout) }
                link = current
                _ = try current.pipeline(commands)
                return
            } catch {
                if case .refused(let reason) = error, link != nil,
                    !Self.passing.contains(where: { reason.hasPrefix($0) })
                {
                    line.logger.error("the broker refuses an answer: \(reason)")
                    return
                }
                if link?.isBroken ?? false {
                    link = nil
                    // It may have been closed while idle.
                    if isOld { continue }
                    line.down(error)
                }
                guard !deadline.hasPassed, pause(backoff.next()) else {
                    line.logger.error("an answer could not be sent to the broker \(line.address): \(error)")
                    return
                }
            }
        }
    }
}
