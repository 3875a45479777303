import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite(
    "A broker that goes and comes, and the end of the service", .serialized,
    .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"), .timeLimit(.minutes(5)))
struct InterruptionTests {
    typealias Answer = PythonBusClient.Answer
    typealias Call = PythonBusSession.Call

    @Test("a redis that is killed and started again is served without a restart")
    func outage() throws {
        let place = try DaemonPlace()
        let daemon = try place.start()
        let bus = try place.bus()
        #expect(try bus.call("Exists", "[\"a\"]") == Answer(data: "false"))
        place.redis.stop()
        #expect(daemon.logs(" warning ") || daemon.logs(" error "))
        let status = try place.flist("status", "--root", place.root)
        #expect(status.output.contains("NOT CONNECTED"), "\(status.output)")
        #expect(status.status == 0)
        try place.redis.start()
        #expect(try place.bus().call("Exists", "[\"a\"]") == Answer(data: "false"))
        #expect(daemon.isRunning)
    }

    @Test("a Mount under way while redis is away is done, and its answer is sent when redis is back")
    func mountDuringOutage() throws {
        let place = try DaemonPlace()
        let hub = try SlowHub("\(place.hub.root)/one.fl")
        let daemon = try place.start()
        let bus = try place.bus()
        try bus.send([Call("Mount", "[\"a\", \"\(hub.url)\", [true, 0, \"\", \"\"]]")])
        #expect(hub.isAsked)
        place.redis.stop()
        hub.goOn()
        #expect(daemon.logs(" name=a "))
        let reading = try place.shell("cat root/mountpoint/a/name")
        #expect(reading.output == "one\n", "\(reading.errors)\(daemon.log)")
        try place.redis.start()
        #expect(try bus.receive() == [Answer(data: "\"\(place.mountPath("a"))\"")])
    }

    @Test("SIGTERM: the call under way is answered first, what waits in redis is for the next start")
    func end() throws {
        let place = try DaemonPlace()
        let hub = try SlowHub("\(place.hub.root)/one.fl")
        let daemon = try place.start(["--workers", "1"])
        let (bus, second) = (try place.bus(), try place.bus())
        try bus.send([Call("Mount", "[\"a\", \"\(hub.url)\", [true, 0, \"\", \"\"]]")])
        #expect(hub.isAsked)
        try second.send([Call("Exists", "[\"a\"]")])
        let waiting = { try place.redis.command(["LLEN", "flist.flist@0.0.1"]) }
        #expect(try eventually { try waiting() == ":1\r\n" })
        daemon.signal(SIGTERM)
        #expect(daemon.logs(" notice ending"))
        #expect(daemon.isRunning)
        hub.goOn()
        #expect(try bus.receive() == [Answer(data: "\"\(place.mountPath("a"))\"")])
        #expect(daemon.wait() == 0)
        #expect(daemon.log.contains(" notice ended"))
        #expect(try waiting() == ":1\r\n")
        try place.start(["--workers", "1"])
        #expect(try second.receive() == [Answer(data: "true")])
        #expect(try place.shell("cat root/mountpoint/a/name").output == "one\n")
    }

    @Test("SIGTERM ends an idle service at once, with and without a broker", arguments: [true, false])
    func idle(hasBroker: Bool) throws {
        let place = try DaemonPlace()
        if !hasBroker { place.redis.stop() }
        let daemon = try place.start(isServing: hasBroker)
        if !hasBroker { #expect(eventually { access("\(place.root)/control", F_OK) == 0 }) }
        #expect(daemon.terminate() == 0)
        #expect(try place.shell("ls root").output == "cache\nflist\nkeeper\nlock\nlog\nmountpoint\npid\nro\n")
    }

    @Test("SIGHUP opens the log anew")
    func hangup() throws {
        let place = try DaemonPlace()
        let daemon = try place.start(["--log", place.path("file.log")], isServing: false)
        #expect(try eventually { try place.shell("cat file.log").output.contains(" serving ") })
        try place.shell("mv file.log old.log")
        daemon.signal(SIGHUP)
        #expect(eventually { access(place.path("file.log"), F_OK) == 0 })
        #expect(daemon.terminate() == 0)
        #expect(try place.shell("cat file.log").output.contains("notice ended"))
        #expect(daemon.log == "")
    }
}
