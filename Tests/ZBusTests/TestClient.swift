import Redis
import TestSupport

@testable import ZBus

/// The other end of a queue, for threads of a test; what fails shows as a message that is missing.
final class TestClient {
    private let link: RedisLink?

    init(_ redis: RedisServer) {
        link = try? RedisLink(
            .socket(path: redis.socketPath), connectTimeout: .seconds(5), commandTimeout: .seconds(30))
    }

    func push(_ payload: [UInt8], to key: [UInt8]) { _ = try? link?.command([[UInt8]("RPUSH".utf8), key, payload]) }

    /// A call of the fixture's object, whose argument is the name of the reply list, too.
    func push(_ method: String, _ text: String) {
        let request = ServerFixture.request(method, [.text(text)], replyTo: text)
        push(request, to: [UInt8](ServerFixture.queue.utf8))
    }

    func take(_ queue: String) -> [UInt8]? {
        guard case .array(let parts)? = try? link?.command("BLPOP", queue, "20"), parts.count == 2,
            case .bytes(let payload) = parts[1]
        else { return nil }
        return payload
    }
}
