internal import Foundation

/// nginx, showing a folder of its own on 127.0.0.1. Ends with its object.
public final class NginxServer: Sendable {
    private let process: ServerProcess
    private let isEncrypted: Bool
    public let port: UInt16

    /// The folder that is shown at `/`.
    public let root: String

    /// `locations` is added to the `server` section, for redirects and errors.
    /// With `tls` it speaks HTTP/2 as well, with the certificate at `certificate`, for localhost.
    public init(locations: String = "", tls: Bool = false) throws {
        isEncrypted = tls
        let folder = try ServerProcess.makeFolder("nginx")
        root = "\(folder)/root"
        port = try LoopbackPort.free()
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        if tls { try Self.makeCertificate(folder) }
        let listen =
            tls
            ? "listen 127.0.0.1:\(port) ssl http2; ssl_certificate \(folder)/crt; ssl_certificate_key \(folder)/key;"
            : "listen 127.0.0.1:\(port);"
        let configuration = """
            user root; worker_processes 1; master_process off; pid \(folder)/pid; error_log \(folder)/error;
            events { worker_connections 1024; }
            http {
                log_format connection
                    '$connection "$request" $status $body_bytes_sent "$http_range" $server_protocol';
                access_log \(folder)/access connection; keepalive_requests 100000; sendfile on;
                \(temporary.joined(separator: " "))
                server { \(listen) root \(root); \(locations) }
            }
            """
        try configuration.write(toFile: "\(folder)/conf", atomically: false, encoding: .utf8)
        process = try ServerProcess(
            "nginx", ["-e", "\(folder)/error", "-c", "\(folder)/conf", "-g", "daemon off;"], folder: folder, port: port)
    }

    public var url: String { isEncrypted ? "https://localhost:\(port)" : "http://127.0.0.1:\(port)" }

    /// Ends it before its object goes.
    public func stop() { process.stop() }

    /// Signed by itself.
    public var certificate: String { "\(process.folder)/crt" }

    /// Connection number and protocol of each request that has been logged.
    public func requests() throws -> [(connection: String, version: String)] {
        try String(contentsOfFile: "\(process.folder)/access", encoding: .utf8).split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            return (String(words.first ?? ""), String(words.last ?? ""))
        }
    }

    /// What was asked for, and what was sent.
    public struct LoggedRequest: Sendable, Equatable {
        /// Method and path.
        public let request: String
        public let status: Int
        /// Of the body.
        public let bytes: Int
        /// The Range header; `-` without one.
        public let range: String
    }

    /// The requests that have been logged, once there are `count` at least: nginx logs after it has answered.
    public func log(atLeast count: Int) throws -> [LoggedRequest] {
        let end = Date(timeIntervalSinceNow: 10)
        while true {
            let text = try String(contentsOfFile: "\(process.folder)/access", encoding: .utf8)
            let lines = text.split(separator: "\n").map { $0.split(separator: "\"") }
            if lines.count >= count || Date() > end {
                return lines.compactMap { parts in
                    guard parts.count == 5 else { return nil }
                    let numbers = parts[2].split(separator: " ").compactMap { Int($0) }
                    let request = parts[1].split(separator: " ").dropLast().joined(separator: " ")
                    guard numbers.count == 2 else { return nil }
                    return LoggedRequest(
                        request: request, status: numbers[0], bytes: numbers[1], range: String(parts[3]))
                }
            }
            usleep(10_000)
        }
    }

    private static func makeCertificate(_ folder: String) throws {
        try ChildProcess([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", "\(folder)/key", "-out", "\(folder)/crt",
        ]).wait()
    }

    /// Puts a file below the root, with the folders it needs.
    public func write(_ bytes: [UInt8], to path: String) throws {
        let whole = URL(fileURLWithPath: "\(root)/\(path)")
        try FileManager.default.createDirectory(
            at: whole.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: whole)
    }

    public static let isInstalled = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx"]
        .contains { FileManager.default.isExecutableFile(atPath: $0) }
}
