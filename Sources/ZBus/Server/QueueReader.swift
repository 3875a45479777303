internal import Logging
internal import Redis
internal import Support

/// Takes messages out of redis lists one by one, over a connection of its own, through outages of the broker.
///
/// `run` is for one thread; the rest is thread-safe.
final class QueueReader: Sendable {
    /// As in zbus: what BLPOP waits before it answers that there is nothing.
    private static let wait = "10"
    /// Well above it: an answer that comes when we have given up on it holds a message that is lost.
    private static let commandTimeout = Duration.seconds(30)

    private struct State {
        /// The number of our connection while it is one, for CLIENT UNBLOCK; unknown to redis before 5.0.
        var client: Int64?
        var isConnected = false
        var isStopping = false
        var hasEnded = false
    }

    private let queues: [String]
    private let line: BrokerLine
    private let state = Monitor(State())

    init(_ queues: [String], _ line: BrokerLine) {
        self.queues = queues
        self.line = line
    }

    var isConnected: Bool { state.withLock { $0.isConnected } }

    /// Waits until there is a connection; false when there is none by then, or never will be.
    func waitUntilConnected(_ deadline: Deadline) -> Bool {
        state.wait(until: deadline) { $0.isConnected ? true : $0.isStopping ? false : nil } ?? false
    }

    /// Takes messages until `stop`, or until `admit` says no. A message that was taken is always delivered.
    func run(admit: () -> Bool, deliver: ([UInt8]) -> Void) {
        var link: RedisLink?
        var backoff = Backoff()
        var refusal: String?
        var (isAdmitted, isProven) = (false, false)
        while !state.withLock({ $0.isStopping }) {
            if !isAdmitted {
                guard admit() else { break }
                isAdmitted = true
            }
            do throws(RedisError) {
                let current: RedisLink
                if let link { current = link } else { current = try connect() }
                link = current
                let payload = try take(current)
                (backoff, refusal, isProven) = (Backoff(), nil, true)
                guard let payload else { continue }
                isAdmitted = false
                deliver(payload)
            } catch {
                if case .refused(let reason) = error, let link, !link.isBroken {
                    // The connection is good: something is wrong with the lists.
                    if refusal != reason { line.logger.error("the broker refuses to give out messages: \(reason)") }
                    refusal = reason
                } else {
                    disconnected()
                    // What worked may have been closed while all workers were busy: no outage as long as another is made.
                    defer { (link, isProven) = (nil, false) }
                    if isProven, case .unreachable = error { continue }
                    if link != nil { line.down(error) }
                }
                _ = state.wait(until: .after(backoff.next())) { $0.isStopping ? true : nil }
            }
        }
        disconnected()
        state.withLock { $0.hasEnded = true }
        state.broadcast()
    }

    /// One message; nil when there was none for a while, or when `stop` ended the wait.
    private func take(_ link: RedisLink) throws(RedisError) -> [UInt8]? {
        switch try link.command([["BLPOP"], queues, [Self.wait]].flatMap { $0 }.map { [UInt8]($0.utf8) }) {
        case .null: return nil
        case .array(let parts):
            guard parts.count == 2, case .bytes(let payload) = parts[1] else {
                throw .protocolViolation("no message in the answer to BLPOP")
            }
            return payload
        default: throw .protocolViolation("no message in the answer to BLPOP")
        }
    }

    private func connect() throws(RedisError) -> RedisLink {
        let link = try line.connect(commandTimeout: Self.commandTimeout)
        var client: Int64?
        do throws(RedisError) {
            if case .integer(let number) = try link.command("CLIENT", "ID") { client = number }
        } catch .refused {}
        state.withLock { state in
            state.client = client
            state.isConnected = true
        }
        state.broadcast()
        return link
    }

    private func disconnected() {
        state.withLock { state in
            state.client = nil
            state.isConnected = false
        }
    }

    /// Ends `run` without losing a message; false when it has not ended by then.
    ///
    /// A BLPOP under way is ended by the server itself, who either answers "nothing" or has given us a message before.
    /// Servers that do not know how (redis before 5.0) are waited for, 10 s at most.
    func stop(by deadline: Deadline) -> Bool {
        state.withLock { $0.isStopping = true }
        state.broadcast()
        var link: RedisLink?
        while true {
            // It may still be on its way into the wait: then once more a little later.
            let soon = min(deadline, .after(.milliseconds(20)))
            if state.wait(until: soon, for: { $0.hasEnded ? true : nil }) != nil { return true }
            guard !deadline.hasPassed else { return false }
            guard let client = state.withLock({ $0.client }) else { continue }
            do throws(RedisError) {
                let timeout = min(deadline.remaining, .seconds(2))
                if link?.isBroken ?? true { link = try line.connect(commandTimeout: timeout) }
                try link?.command("CLIENT", "UNBLOCK", "\(client)")
            } catch {
                _ = state.wait(until: min(deadline, .after(.milliseconds(200)))) { $0.hasEnded ? true : nil }
            }
        }
    }
}
