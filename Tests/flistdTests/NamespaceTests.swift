import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite(
    "In a network namespace", .serialized, .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"),
    .timeLimit(.minutes(5)))
struct NamespaceTests {
    typealias Answer = PythonBusClient.Answer

    @Test("downloads and blocks come from inside, broker and metrics are outside")
    func inside() throws {
        let place = try DaemonPlace()
        let inside = try Namespace(place)
        let metrics = try LoopbackPort.free()
        let daemon = try place.start(
            ["--netns", inside.name, "--metrics", "127.0.0.1:\(metrics)"], broker: "tcp://127.0.0.1:\(place.redis.port)"
        )
        let bus = try PythonBusSession("\(place.redis.port)")
        let path = place.mountPath("a")
        #expect(
            try bus.call("Mount", "[\"a\", \"\(inside.url)\", [false, 67108864, \"\", \"\"]]")
                == Answer(data: "\"\(path)\""))
        #expect(try place.shell("cat \(path)/name").output == "inside\n")
        #expect(try bus.call("HashFromRootPath", "[\"a\"]")?.error == nil)
        #expect(try bus.call("FlistHash", "[\"\(inside.url)\"]")?.error == "hash not supported by flist host")
        let page = try place.shell("curl -s http://127.0.0.1:\(metrics)/metrics").output
        #expect(
            page.contains("flist_fetches_total{store=\"zdb://127.0.0.1:\(inside.store)\",result=\"ok\"} 1\n"), "\(page)"
        )
        // What is on the hub outside is not seen from inside.
        #expect(try bus.call("Mount", "[\"b\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error != nil)
        // A broker that comes back is found outside, too.
        place.redis.stop()
        try place.redis.start()
        #expect(try bus.call("Exists", "[\"a\"]") == Answer(data: "true"))
        #expect(daemon.terminate() == 0)
        try place.start(["--netns", inside.name])
        #expect(try place.shell("cat \(path)/more").output == "more\n")
    }

    @Test("without the namespace none of it is there")
    func outside() throws {
        let place = try DaemonPlace()
        let inside = try Namespace(place)
        try place.start()
        let bus = try place.bus()
        let error = try bus.call("Mount", "[\"a\", \"\(inside.url)\", [true, 0, \"\", \"\"]]")?.error
        #expect(
            error?.hasPrefix("ro mount of flist failed: fail to download flist from '\(inside.url)': ") == true,
            "\(error ?? "mounted")")
        // The flist by another way: its blocks are not there either.
        try place.shell("cp inside/net.fl \(place.hub.root)")
        #expect(try bus.call("Mount", "[\"a\", \"\(place.url("net"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        // A store that is away is tried for a while: the reader waits.
        let read = try place.shell("timeout -s KILL 1 cat root/mountpoint/a/name")
        #expect(read.status != 0 && read.output == "")
        #expect(try place.shell("curl -s http://127.0.0.1:\(inside.store)").status == 7)
    }
}

/// A network namespace with a hub and a block store in it, and the flist `net.fl` there. All goes with it.
final class Namespace {
    let name = "flist-test-\(UUID().uuidString.prefix(8))"
    /// The port of the block store.
    let store: UInt16
    private let hub: UInt16
    private let place: DaemonPlace
    private var servers: [ChildProcess] = []

    var url: String { "http://127.0.0.1:\(hub)/net.fl" }

    init(_ place: DaemonPlace) throws {
        self.place = place
        (store, hub) = (try LoopbackPort.free(), try LoopbackPort.free())
        let made = try place.shell("ip netns add \(name) && ip -n \(name) link set lo up && mkdir inside")
        guard made.status == 0 else { throw FlistError(.io, made.errors) }
        try serve("redis-server", "--port", "\(store)", "--bind", "127.0.0.1", "--save", "")
        try serve("python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", place.path("inside"), "\(hub)")
        try place.makeTree("net", "echo inside > name; echo more > more")
        guard eventually({ isServed(store) && isServed(hub) }) else { throw FlistError(.timedOut, "no servers inside") }
        let packed = try place.shell(
            "ip netns exec \(name) $FLIST pack -q -m inside/net.fl -s zdb://127.0.0.1:\(store) trees/net")
        guard packed.status == 0 else { throw FlistError(.io, packed.errors) }
    }

    deinit {
        for server in servers { server.kill() }
        _ = try? place.shell("ip netns del \(name)")
    }

    private func isServed(_ port: UInt16) -> Bool {
        let command = "ip netns exec \(name) bash -c '</dev/tcp/127.0.0.1/\(port)'"
        return (try? place.shell(command).status) == 0
    }

    private func serve(_ words: String...) throws {
        // It becomes what it runs: its number is the server's.
        servers.append(try ChildProcess(["ip", "netns", "exec", name] + words, in: place.folder))
    }
}
