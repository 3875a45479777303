internal import Foundation
internal import Support

/// A redis-server of its own on 127.0.0.1 and on a unix socket, without persistence; killed with this object.
public final class RedisServer: @unchecked Sendable {
    public let port: UInt16
    public let socketPath: String
    private let folder: String
    private let options: [String]
    // Changed by start and stop only, which tests call from one thread at a time.
    private var process: ChildProcess?

    public init(options: [String] = []) throws {
        port = try LoopbackPort.free()
        folder = FileManager.default.temporaryDirectory.path + "/flist-test-redis-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        socketPath = folder + "/socket"
        self.options = options
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Starts it (again); it is empty then.
    public func start() throws {
        process = try ChildProcess(
            [
                "/usr/bin/redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", socketPath,
                "--save",
                "", "--appendonly", "no", "--dir", folder, "--daemonize", "no",
            ] + options)
        let limit = Deadline.after(.seconds(20))
        while !limit.hasPassed {
            if let answer = try? command(["PING"]), answer.hasPrefix("+PONG") || answer.hasPrefix("-NOAUTH") { return }
            usleep(10_000)
        }
        throw FlistError(.timedOut, "redis-server did not start")
    }

    public func stop() {
        process?.kill()
        process = nil
    }

    /// Sends a command over a fresh connection; the start of the reply as text.
    @discardableResult
    public func command(_ words: [String]) throws -> String {
        try String(decoding: command(words.map { Array($0.utf8) }), as: UTF8.self)
    }

    public func set(_ key: [UInt8], _ value: [UInt8]) throws {
        guard try command([Array("SET".utf8), key, value]).starts(with: "+OK".utf8) else {
            throw FlistError(.io, "redis-server refused a SET")
        }
    }

    /// Bytes of a value; 0 where there is none.
    public func length(of key: [UInt8]) throws -> Int {
        let answer = try String(decoding: command([Array("STRLEN".utf8), key]), as: UTF8.self)
        guard answer.hasPrefix(":"), let length = Int(answer.dropFirst().prefix { $0.isNumber }) else {
            throw FlistError(.io, "redis-server refused a STRLEN: \(answer)")
        }
        return length
    }

    /// A figure of INFO, such as `total_commands_processed` or `cmdstat_get`.
    public func info(_ section: String, _ name: String) throws -> String? {
        let answer: String = try command(["INFO", section])
        return answer.split(separator: "\r\n").first { $0.hasPrefix(name + ":") }
            .map { String($0.dropFirst(name.count + 1)) }
    }

    private func command(_ words: [[UInt8]]) throws -> [UInt8] {
        let fd = try TestSocket.connect(port: port)
        defer { close(fd) }
        var request = Array("*\(words.count)\r\n".utf8)
        for word in words { request += Array("$\(word.count)\r\n".utf8) + word + Array("\r\n".utf8) }
        guard TestSocket.send(request, to: fd) else { throw Errno.connectionReset }
        return TestSocket.receive(from: fd) ?? []
    }
}
