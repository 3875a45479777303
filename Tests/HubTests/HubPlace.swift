import BlockCodec
import Foundation
import Hub
import Support
import Synchronization
import TestSupport

/// A folder for flists with the hub that fills it, and what was logged. Goes with this object.
final class HubPlace: Sendable {
    let folder = "\(NSTemporaryDirectory())flist-test-hub-\(UUID().uuidString.prefix(8))"
    let log = LogLines()

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// With pauses that a test can wait for.
    func hub(_ change: (inout Hub.Options) -> Void = { _ in }) throws -> Hub {
        var options = Hub.Options()
        options.firstPause = .milliseconds(5)
        options.longestPause = .milliseconds(20)
        options.stallTimeout = .seconds(1)
        change(&options)
        return try Hub(folder: folder, options: options, logger: log.logger)
    }

    /// What is in the folder, but for the notes on addresses.
    var names: [String] { Folder.names(in: folder).filter { $0 != "by-url" }.sorted() }

    var notes: [String] { Folder.names(in: "\(folder)/by-url") }

    func path(_ md5: String) -> String { "\(folder)/\(md5)" }

    /// Moves the times of all files here into the past.
    func age(by seconds: TimeInterval) throws {
        for path in names.map({ path($0) }) + notes.map({ "\(folder)/by-url/\($0)" }) {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -seconds)], ofItemAtPath: path)
        }
    }
}

/// Bytes that look like no others.
enum TestContent {
    static func bytes(_ seed: UInt64, count: Int) -> [UInt8] {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }

    static func md5(_ bytes: [UInt8]) -> String {
        guard var hasher = MD5() else { return "" }
        bytes.withUnsafeBytes { hasher.update($0) }
        return hasher.finalize().description
    }

    static func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
}

/// A hub that answers as a test tells it to, and remembers what it was asked.
final class ScriptedHub: Sendable {
    typealias Steps = [RawHTTPServer.Step]
    /// Answers a request; `number` counts those for the same path, from 0.
    typealias Script = @Sendable (_ request: RawHTTPServer.Request, _ number: Int) -> Steps

    private let server: RawHTTPServer
    private let seen: Asked

    private final class Asked: Sendable {
        let requests = Mutex<[RawHTTPServer.Request]>([])

        func add(_ request: RawHTTPServer.Request) -> Int {
            requests.withLock { requests in
                defer { requests.append(request) }
                return requests.count { $0.path == request.path }
            }
        }
    }

    init(_ script: @escaping Script) throws {
        let seen = Asked()
        self.seen = seen
        server = try RawHTTPServer { script($0, seen.add($0)) }
    }

    deinit { server.close() }

    var url: String { server.url }
    var port: UInt16 { server.port }
    var connections: Int { server.connectionCount }

    func close() { server.close() }

    /// The requests so far for a path.
    func requests(_ path: String) -> [RawHTTPServer.Request] {
        seen.requests.withLock { $0.filter { $0.path == path } }
    }

    /// The Range headers of requests for a path; `-` where there is none.
    func ranges(_ path: String) -> [String] { requests(path).map { $0.headers["range"] ?? "-" } }

    /// An answer that announces all of `body` and breaks off after `count` bytes.
    static func cut(_ body: [UInt8], after count: Int, headers: [String] = []) -> Steps {
        [.raw(head("200 OK", length: body.count, headers) + body.prefix(count)), .close]
    }

    /// The part that a request asks for with `Range: bytes=N-`.
    static func part(_ body: [UInt8], of request: RawHTTPServer.Request, headers: [String] = []) -> Steps {
        guard let range = request.headers["range"], range.hasPrefix("bytes="), range.hasSuffix("-"),
            let start = Int(range.dropFirst(6).dropLast()), start < body.count
        else { return [.answer(416)] }
        let part = "Content-Range: bytes \(start)-\(body.count - 1)/\(body.count)"
        return [.raw(head("206 Partial Content", length: body.count - start, headers + [part]) + body[start...])]
    }

    private static func head(_ status: String, length: Int, _ headers: [String]) -> [UInt8] {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(length)"] + headers
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}
