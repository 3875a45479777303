internal import Glibc
internal import Support
internal import Synchronization

/// A small HTTP/1.1 server on 127.0.0.1 that does what a test tells it to, wrong things included.
///
/// One thread per connection; keeps connections open as HTTP/1.1 does; counts them.
public final class RawHTTPServer: Sendable {
    public struct Request: Sendable {
        public let method: String
        /// With the query.
        public let path: String
        /// Names in lower case.
        public let headers: [String: String]
        public let body: [UInt8]
    }

    /// What the server does with a request, in order.
    public enum Step: Sendable {
        /// A whole answer, with its length.
        case answer(_ status: Int, headers: [String] = [], body: [UInt8] = [])
        /// These bytes as they are.
        case raw([UInt8])
        case pause(Duration)
        case close
    }

    public typealias Handler = @Sendable (Request) -> [Step]

    private struct State {
        var connections: [Int32] = []
        var accepted = 0
        var requests: [String] = []
        var isClosed = false
    }

    public let port: UInt16
    private let listener: Int32
    private let handler: Handler
    private let state = Mutex(State())

    public init(_ handler: @escaping Handler) throws {
        self.handler = handler
        listener = try systemCall { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) }
        port = try LoopbackPort.bind(listener)
        _ = try systemCall { [listener] in listen(listener, 256) }
        try WorkerThread("raw-http") { [self] in acceptAll() }.detach()
    }

    public var url: String { "http://127.0.0.1:\(port)" }

    /// Connections accepted so far.
    public var connectionCount: Int { state.withLock { $0.accepted } }

    /// Connections open now.
    public var openConnections: Int { state.withLock { $0.connections.count } }

    /// Method and path of each request so far.
    public var requests: [String] { state.withLock { $0.requests } }

    /// Ends all connections. Further ones are refused.
    public func close() {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            shutdown(listener, Int32(SHUT_RDWR))
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    private func acceptAll() {
        while let connection = try? systemCall({ accept(listener, nil, nil) }) {
            let isOpen = state.withLock { state in
                if !state.isClosed { state.connections.append(connection) }
                state.accepted += 1
                return !state.isClosed
            }
            guard isOpen, let thread = try? WorkerThread("raw-http-peer", { [self] in serve(connection) }) else {
                Glibc.close(connection)
                continue
            }
            thread.detach()
        }
        Glibc.close(listener)
    }

    private func serve(_ connection: Int32) {
        var reader = RawHTTPReader(connection)
        while let request = reader.next() {
            state.withLock { $0.requests.append("\(request.method) \(request.path)") }
            guard handler(request).allSatisfy({ take($0, connection, isHead: request.method == "HEAD") }) else { break }
        }
        state.withLock { $0.connections.removeAll { $0 == connection } }
        Glibc.close(connection)
    }

    private func take(_ step: Step, _ connection: Int32, isHead: Bool) -> Bool {
        switch step {
        case .answer(let status, let headers, let body):
            let lines = ["HTTP/1.1 \(status) Because", "Content-Length: \(body.count)"] + headers
            let head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
            return send(head + (isHead ? [] : body), connection)
        case .raw(let bytes): return send(bytes, connection)
        case .pause(let duration):
            usleep(
                UInt32(duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000))
            return true
        case .close: return false
        }
    }

    private func send(_ bytes: [UInt8], _ connection: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

/// Reads requests off a connection.
private struct RawHTTPReader {
    private let connection: Int32
    private var buffered: [UInt8] = []

    init(_ connection: Int32) { self.connection = connection }

    mutating func next() -> RawHTTPServer.Request? {
        let end = Array("\r\n\r\n".utf8)
        var headEnd = buffered.firstRange(of: end)
        while headEnd == nil {
            guard fill() else { return nil }
            headEnd = buffered.firstRange(of: end)
        }
        guard let headEnd else { return nil }
        let lines = String(decoding: buffered[..<headEnd.lowerBound], as: UTF8.self).split(separator: "\r\n")
        buffered.removeFirst(headEnd.upperBound)
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let name = line.prefix { $0 != ":" }
            headers[name.lowercased()] = String(line.dropFirst(name.count + 1).drop { $0 == " " })
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while buffered.count < length { guard fill() else { return nil } }
        defer { buffered.removeFirst(length) }
        return RawHTTPServer.Request(
            method: String(words[0]), path: String(words[1]), headers: headers, body: Array(buffered.prefix(length)))
    }

    private mutating func fill() -> Bool {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = piece.withUnsafeMutableBytes { recv(connection, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return false }
        buffered += piece.prefix(count)
        return true
    }
}
