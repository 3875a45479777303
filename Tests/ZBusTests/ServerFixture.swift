import Glibc
import Logging
import Redis
import Support
import Synchronization
import TestSupport

@testable import ZBus

/// What a server told of its calls, in order.
final class CallLog: ZBusObserver {
    private let lines = Monitor<[String]>([])

    func callStarted(_ call: ZBusCall) { add("start \(call.object).\(call.method)") }
    func callEnded(_ call: ZBusCall, after time: Duration, _ outcome: ZBusOutcome) {
        add("end \(call.object).\(call.method) \(outcome)")
    }
    func messageDropped(bytes: Int) { add("dropped \(bytes)") }

    private func add(_ line: String) {
        lines.withLock { $0.append(line) }
        lines.broadcast()
    }

    var all: [String] { lines.withLock { $0 } }

    /// Waits until there are that many lines.
    func wait(for count: Int) -> [String] {
        lines.wait(until: .after(.seconds(20))) { $0.count >= count ? $0 : nil } ?? all
    }
}

/// Log lines as they come.
struct LogLines: LogHandler {
    final class Store: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    let store: Store
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { store.add("\(event.level): \(event.message)") }
}

/// A redis, and a server with an object on it that ends with this.
final class ServerFixture {
    let redis: RedisServer
    let server: ZBusServer
    let calls = CallLog()
    let log = LogLines.Store()
    let gate = Gate()
    static let object = ObjectID(name: "test", version: "1.0")
    static let queue = "mod.test@1.0"

    init(
        redis: RedisServer? = nil, broker: String? = nil, workers: Int = 2, scope: ConnectScope? = nil,
        report: (@Sendable (String) -> MessagePackValue?)? = nil, isReady: Bool = true
    ) throws {
        let redis = try redis ?? RedisServer()
        self.redis = redis
        let (gate, log) = (gate, log)
        var object = ZBusObject(name: Self.object.name, version: Self.object.version)
        object.add("Echo", String.self) { text throws(FlistError) -> String in text }
        object.add("Fail", String.self) { text throws(FlistError) -> String in throw FlistError(.io, text) }
        object.add("Wait", String.self) { text throws(FlistError) -> String in
            gate.pass()
            return text
        }
        object.add("Mount", String.self, String.self, MountOptions.self) {
            name, url, options throws(FlistError) -> String in "\(name) \(url) \(options.text)"
        }
        object.add("Unmount", String.self) { name throws(FlistError) in }
        object.add("Large", ZBusUnit.self) { count throws(FlistError) -> String in
            String(repeating: "a", count: Int(count.bytes))
        }
        server = ZBusServer(
            module: "mod", broker: try BrokerAddress(parsing: broker ?? "unix://\(redis.socketPath)"),
            workers: workers, objects: [object], logger: Logger(label: "bus") { _ in LogLines(store: log) },
            connectScope: scope, observer: calls, statusReport: report)
        try server.start()
        if isReady, !server.waitUntilReady(.after(.seconds(20))) { throw FlistError(.timedOut, "not ready") }
    }

    deinit {
        gate.open()
        server.stop(grace: .seconds(5))
    }

    var broker: BrokerAddress { get throws { try BrokerAddress(parsing: "unix://\(redis.socketPath)") } }
    var client: ZBusClient { get throws { ZBusClient(try broker) } }

    /// A connection of the test's own.
    var link: RedisLink {
        get throws {
            try RedisLink(
                .socket(path: redis.socketPath), connectTimeout: .seconds(5), commandTimeout: .seconds(30))
        }
    }

    static func request(
        _ method: String, _ arguments: [MessagePackValue], replyTo: String, object: ObjectID = object
    ) -> [UInt8] {
        ZBusRequest(
            id: [UInt8](replyTo.utf8), inputs: arguments.map(\.encoded), object: object,
            replyTo: [UInt8](replyTo.utf8), method: method
        ).encoded
    }

    /// Puts a message into a queue.
    func push(_ payload: [UInt8], to queue: String = queue) throws {
        _ = try link.command([[UInt8]("RPUSH".utf8), [UInt8](queue.utf8), payload])
    }

    /// Waits for an answer in a list.
    func answer(_ key: String) throws -> ZBusResponse? {
        guard case .array(let parts) = try link.command("BLPOP", key, "20"), parts.count == 2,
            case .bytes(let payload) = parts[1]
        else { return nil }
        return ZBusResponse(decoding: payload, limit: 1 << 26)
    }

    /// Connections that wait at a list.
    func waiting() throws -> Int {
        guard case .bytes(let text) = try link.command("CLIENT", "LIST") else { return 0 }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").count { $0.contains(" flags=b") }
    }

    func integer(_ words: String...) throws -> Int64? {
        guard case .integer(let number) = try link.command(words.map { [UInt8]($0.utf8) }) else { return nil }
        return number
    }
}
