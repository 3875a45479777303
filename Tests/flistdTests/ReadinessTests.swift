import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Telling when it is ready", .enabled(if: Machine.isFit, "needs root"), .timeLimit(.minutes(5)))
struct ReadinessTests {
    @Test("READY=1 comes once the bus answers and not before, STOPPING=1 at the end")
    func notify() throws {
        let place = try DaemonPlace()
        place.redis.stop()
        let manager = try NotifySocket(place.path("notify"))
        let daemon = try place.start(environment: ["NOTIFY_SOCKET": place.path("notify")], isServing: false)
        var told: [String] = []
        let hears = { (count: Int) in
            eventually {
                told += manager.received()
                return told.count >= count
            }
        }
        #expect(hears(1))
        #expect(daemon.logs("the broker"))
        told += manager.received()
        #expect(told == ["STATUS=waiting for the bus at \(place.broker)"])
        try place.redis.start()
        #expect(hears(2))
        #expect(told.last == "READY=1\nSTATUS=serving \(place.root) on \(place.broker)")
        // Who waited for it finds it.
        #expect(try place.flist("node", "exists", "a", "--broker", place.broker, "--timeout", "5").output == "false\n")
        #expect(daemon.terminate() == 0)
        #expect(manager.received() == ["STOPPING=1"])
    }

    @Test("names are mounted again before READY=1")
    func recovered() throws {
        let place = try DaemonPlace()
        let first = try place.start()
        #expect(
            try place.bus().call("Mount", "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        first.kill()
        let manager = try NotifySocket(place.path("notify"))
        try place.start(environment: ["NOTIFY_SOCKET": place.path("notify")], isServing: false)
        #expect(eventually { manager.received().contains { $0.hasPrefix("READY=1\n") } })
        #expect(try place.shell("cat root/mountpoint/a/name").output == "one\n")
    }
}
