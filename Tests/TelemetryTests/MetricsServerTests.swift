import Foundation
import Glibc
import Support
import TestSupport
import Testing

@testable import Telemetry

@Suite("The metrics server", .timeLimit(.minutes(5)))
struct MetricsServerTests {
    /// Status, type and body as curl got them.
    private func curl(_ words: String..., at server: MetricsServer) throws -> String {
        let format = "%{http_code} %{content_type} %header{allow}|"
        let url = "http://127.0.0.1:\(server.port)"
        let command =
            "curl -s -m 20 -o body -w '\(format)' "
            + words.map { $0.replacing("URL", with: url) }.joined(separator: " ")
        let folder = try TestFolder()
        let outcome = try TestFolder.run("bash", "-c", "cd \(folder.path) && \(command) && cat body")
        return outcome.output
    }

    @Test("answers GET and HEAD of its two paths, and refuses the rest")
    func requests() throws {
        let counter = Counter()
        let server = try MetricsServer(address: "127.0.0.1:0") {
            counter.add()
            return "flist_scrapes \(counter.value)\n"
        }
        #expect(server.port != 0)
        let type = "text/plain; version=0.0.4; charset=utf-8"
        let plain = "text/plain; charset=utf-8"
        #expect(try curl("URL/metrics", at: server) == "200 \(type) |flist_scrapes 1\n")
        #expect(try curl("'URL/metrics?x=1'", at: server) == "200 \(type) |flist_scrapes 2\n")
        #expect(try curl("-I", "URL/metrics", at: server).hasPrefix("200 \(type) |HTTP/1.1 200 OK"))
        #expect(try curl("URL/healthz", at: server) == "200 \(plain) |ok\n")
        #expect(try curl("URL/", at: server) == "404 \(plain) |There are /metrics and /healthz.\n")
        #expect(try curl("URL/metrics/../etc/passwd --path-as-is", at: server).hasPrefix("404 "))
        #expect(try curl("-d", "x=1", "URL/metrics", at: server) == "405 \(plain) GET, HEAD|GET and HEAD only.\n")
        #expect(try curl("-X", "DELETE", "URL/healthz", at: server).hasPrefix("405 "))
        #expect(counter.value == 3)
    }

    @Test("sends a large page whole, to several at once")
    func large() throws {
        let page = String(repeating: "flist_x 1\n", count: 200_000)
        let server = try MetricsServer(address: "127.0.0.1:0") { page }
        let folder = try TestFolder()
        let transfers = (1...4).map { "http://127.0.0.1:\(server.port)/metrics -o \(folder.file("\($0)"))" }
        let curl = "exec curl -s -m 40 --parallel --parallel-immediate \(transfers.joined(separator: " "))"
        #expect(try TestFolder.run("sh", "-c", curl).status == 0)
        for name in 1...4 { #expect(try folder.text("\(name)") == page) }
    }

    @Test("serves on while clients say nothing, and takes no more than it can hold")
    func idle() throws {
        let server = try MetricsServer(address: "127.0.0.1:0") { "a 1\n" }
        var idle = try (0..<10).map { _ in try TestSocket.connect(port: server.port) }
        #expect(try curl("URL/metrics", at: server).hasSuffix("|a 1\n"))
        // The others are turned away or wait; the server lives.
        idle += try (0..<20).map { _ in try TestSocket.connect(port: server.port) }
        idle.forEach { close($0) }
        #expect(try curl("--retry 20 --retry-delay 1 --retry-all-errors URL/metrics", at: server).hasSuffix("|a 1\n"))
    }

    @Test("stops listening, and its port is free for the next one")
    func stopping() throws {
        let server = try MetricsServer(address: "127.0.0.1:0") { "" }
        let port = server.port
        #expect(LoopbackPort.isOpen(port))
        server.stop()
        server.stop()
        #expect(!LoopbackPort.isOpen(port))
        let next = try MetricsServer(address: "127.0.0.1:\(port)") { "next 1\n" }
        #expect(try curl("URL/metrics", at: next).hasSuffix("|next 1\n"))
    }

    @Test("listens on IPv6, and on all addresses", arguments: ["[::1]:0", ":0"])
    func addresses(address: String) throws {
        let server = try MetricsServer(address: address) { "six 6\n" }
        let outcome = try TestFolder.run("curl", "-s", "-m", "20", "http://[::1]:\(server.port)/metrics")
        #expect(outcome.output == "six 6\n")
        #expect(LoopbackPort.isOpen(server.port) == (address == ":0"))
    }

    /// unshare(2) and setns(2), which Glibc shows to Swift only with _GNU_SOURCE.
    private static func call(_ name: String, _ arguments: Int32...) -> Int32 {
        let function = dlsym(nil, name)
        return arguments.count == 1
            ? unsafeBitCast(function, to: (@convention(c) (Int32) -> Int32).self)(arguments[0])
            : unsafeBitCast(function, to: (@convention(c) (Int32, Int32) -> Int32).self)(arguments[0], arguments[1])
    }

    @Test("makes its socket where it is told to", .enabled(if: geteuid() == 0, "needs root"))
    func scope() throws {
        let newNetwork: Int32 = 0x4000_0000
        // A network namespace of its own, of which only the socket is left.
        let server = try MetricsServer(
            address: "127.0.0.1:0",
            scope: { body throws(FlistError) in
                let home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
                guard home >= 0, Self.call("unshare", newNetwork) == 0 else {
                    throw FlistError("cannot leave the network", errno: .current)
                }
                defer {
                    _ = Self.call("setns", home, newNetwork)
                    close(home)
                }
                try body()
            }
        ) { "" }
        #expect(!LoopbackPort.isOpen(server.port))
        let here = try MetricsServer(address: "127.0.0.1:\(server.port)") { "here 1\n" }
        #expect(try curl("URL/metrics", at: here).hasSuffix("|here 1\n"))
    }

    @Test(
        "refuses what is no address",
        arguments: [
            "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "localhost:9464", "::1:9464",
            "[127.0.0.1]:9464",
            "[::1]", "1.2.3:80", "[::1:9464", "a b:1",
        ])
    func usage(address: String) {
        let error = #expect(throws: FlistError.self) { try MetricsServer(address: address) { "" } }
        #expect(error?.code == .usage)
        #expect(error?.message.hasPrefix("cannot listen at '\(address)': ") == true)
        #expect(error?.message.hasSuffix("; write 127.0.0.1:9464, [::1]:9464, or :9464 for all addresses") == true)
    }

    @Test("says who is in the way")
    func taken() throws {
        let server = try MetricsServer(address: "127.0.0.1:0") { "" }
        let error = #expect(throws: FlistError.self) { try MetricsServer(address: "127.0.0.1:\(server.port)") { "" } }
        #expect(error?.code == .busy)
        #expect(
            error?.description == "cannot listen at 127.0.0.1:\(server.port) for metrics: Address already in use")
        let other = #expect(throws: FlistError.self) { try MetricsServer(address: "192.0.2.1:9464") { "" } }
        #expect(
            other?.description == "cannot listen at 192.0.2.1:9464 for metrics: Cannot assign requested address")
    }
}
