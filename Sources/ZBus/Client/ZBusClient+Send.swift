internal import Redis
internal import Support

/// A request on its way.
struct PendingCall {
    let queue: String
    /// Also the key of the list that takes the answer.
    let id: String
    let payload: [UInt8]
    let deadline: Deadline
    let timeout: Duration
}

extension ZBusClient {
    /// As in zbus: seconds that one BLPOP waits.
    private static let wait = "1"

    /// Queues the request once, and waits for what comes to its list.
    func send(_ call: PendingCall) throws(ZBusError) -> [UInt8] {
        var link: RedisLink? = try queue(call)
        var backoff = Backoff()
        while !call.deadline.hasPassed {
            do throws(RedisError) {
                let current: RedisLink
                if let link { current = link } else { current = try borrow(call.deadline) }
                link = current
                if let answer = try answer(to: call, current) {
                    giveBack(current)
                    return answer
                }
                backoff = Backoff()
            } catch {
                if case .refused(let reason) = error {
                    link.map(giveBack)
                    throw .noAnswer(
                        FlistError(.unavailable, "the broker \(broker) refuses to give out the answer: \(reason)"))
                }
                // The answer may come all the same.
                link = nil
                let pause = min(backoff.next(), call.deadline.remaining)
                Monitor(()).wait(until: .after(pause)) { _ in nil as Void? }
            }
        }
        throw .noAnswer(FlistError(.timedOut, overdue(call, link)))
    }

    private func queue(_ call: PendingCall) throws(ZBusError) -> RedisLink {
        var problem = "the call could not be sent to \(call.queue) at \(broker)"
        do throws(RedisError) {
            let link = try borrow(call.deadline)
            problem = "the connection broke while the call was sent; it may be in \(call.queue) at \(broker) or not"
            do throws(RedisError) {
                try link.command([[UInt8]("RPUSH".utf8), [UInt8](call.queue.utf8), call.payload])
            } catch .refused(let reason) {
                giveBack(link)
                problem = "the broker \(broker) does not take the call into \(call.queue)"
                throw .refused(reason)
            }
            return link
        } catch {
            throw .noAnswer(FlistError(error == .timedOut ? .timedOut : .unavailable, "\(problem): \(error)"))
        }
    }

    private func answer(to call: PendingCall, _ link: RedisLink) throws(RedisError) -> [UInt8]? {
        // For the last second the socket gives up earlier than the server, which costs the connection.
        link.setCommandTimeout(min(.seconds(10), call.deadline.remaining))
        switch try link.command("BLPOP", call.id, Self.wait) {
        case .null: return nil
        case .array(let parts):
            guard parts.count == 2, case .bytes(let payload) = parts[1] else { fallthrough }
            return payload
        default: throw .protocolViolation("no answer in the answer to BLPOP")
        }
    }

    /// Withdraws the request, and tells what is known.
    private func overdue(_ call: PendingCall, _ link: RedisLink?) -> String {
        var reason = "is the module running?"
        if let link = try? link ?? borrow(.after(.seconds(1))) {
            link.setCommandTimeout(.seconds(1))
            let words = [[UInt8]("LREM".utf8), [UInt8](call.queue.utf8), [UInt8]("1".utf8), call.payload]
            let removed = try? link.command(words)
            if removed == .integer(0) { reason = "the module took the request, and is still at it or has died" }
            giveBack(link)
        }
        return "no answer within \(Self.text(call.timeout)) on \(call.queue) at \(broker): \(reason)"
    }

    private static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return attoseconds == 0 ? "\(seconds) s" : "\(Int(duration / .milliseconds(1))) ms"
    }
}
