import Foundation
import Support
import TestSupport
import Testing

@Suite(
    "What flistd keeps", .serialized, .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"),
    .timeLimit(.minutes(5)))
struct CacheTests {
    typealias Answer = PythonBusClient.Answer

    @Test("contents beyond the cache's size go, and come back when they are read")
    func quota() throws {
        let place = try DaemonPlace()
        try place.makeTree("big", "for i in 1 2 3 4 5 6 7 8; do head -c 3M /dev/urandom > $i; done")
        try place.publish("big")
        try place.start(["--cache-size", "8MiB"])
        let bus = try place.bus()
        #expect(try bus.call("Mount", "[\"a\", \"\(place.url("big"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        let compare = "for i in 1 2 3 4 5 6 7 8; do cmp trees/big/$i root/mountpoint/a/$i || exit 1; done"
        #expect(try place.shell(compare).status == 0)
        let cache = { try place.status()["cache"] as? [String: Any] }
        // Where all that could go was in use, nothing is stored for a moment: read again, and not what the kernel kept.
        let forget = "find root/mountpoint/a -type f -exec dd if={} iflag=nocache count=0 status=none \\;"
        let isSmall = try eventually {
            #expect(try place.shell("\(forget); \(compare)").status == 0)
            let now = try cache()
            return (now?["bytes"] as? Int ?? .max) <= 8 << 20 && (now?["evictions"] as? Int ?? 0) >= 5
        }
        #expect(isSmall, "\(String(describing: try? cache()))")
        #expect(try place.shell(compare).status == 0)
        #expect(try eventually { (try cache()?["bytes"] as? Int ?? .max) <= 8 << 20 })
        let used = try #require(Int(place.shell("du -s -B1 root/cache | cut -f1").output.replacing("\n", with: "")))
        #expect(used < 10 << 20)
    }

    @Test("a flist that was mounted before mounts while the hub is away, and shows what is cached")
    func hubAway() throws {
        let place = try DaemonPlace()
        let daemon = try place.start()
        let bus = try place.bus()
        let arguments = "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]"
        let answer = Answer(data: "\"\(place.mountPath("a"))\"")
        #expect(try bus.call("Mount", arguments) == answer)
        try place.shell("cat root/mountpoint/a/name")
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        place.hub.stop()
        try place.shell("mv blocks elsewhere")
        #expect(try bus.call("Mount", arguments) == answer)
        #expect(try place.shell("cat root/mountpoint/a/name").output == "one\n")
        #expect(daemon.log.contains("cannot be asked"))
        // What it never had, it has not.
        let failed = try place.shell("cat root/mountpoint/a/d/file")
        #expect(failed.status == 1 && failed.output == "")
        // A new start does not need the hub either.
        daemon.kill()
        try place.start()
        #expect(try place.shell("cat root/mountpoint/a/name").output == "one\n")
    }

    @Test("a downloaded flist that was damaged is fetched anew", arguments: ["overwritten", "cut", "gone"])
    func damaged(how: String) throws {
        let place = try DaemonPlace()
        let daemon = try place.start()
        let bus = try place.bus()
        let arguments = "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]"
        let answer = Answer(data: "\"\(place.mountPath("a"))\"")
        #expect(try bus.call("Mount", arguments) == answer)
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        let file = "root/flist/\(try place.md5("one"))"
        let deed = [
            "overwritten": "printf XXXXXXXX | dd of=\(file) bs=1 seek=40 conv=notrunc",
            "cut": "truncate -s 100 \(file)",
        ]
        try place.shell(deed[how] ?? "rm \(file)")
        #expect(try bus.call("Mount", arguments) == answer)
        #expect(
            try place.shell("cat root/mountpoint/a/name; md5sum < \(file)").output == "one\n\(place.md5("one"))  -\n")
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        // And while nobody watches.
        #expect(daemon.terminate() == 0)
        try place.shell(deed[how] ?? "rm \(file)")
        try place.start()
        #expect(try bus.call("Mount", arguments) == answer)
        #expect(try place.shell("cat root/mountpoint/a/d/file").output == "deep\n")
    }

    @Test("a mount whose flist was damaged while flistd was down is not shown wrong")
    func damagedUnderMount() throws {
        let place = try DaemonPlace()
        let daemon = try place.start()
        let bus = try place.bus()
        let arguments = "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]"
        #expect(try bus.call("Mount", arguments)?.error == nil)
        daemon.kill()
        try place.shell(
            "printf XXXXXXXX | dd of=root/flist/\(place.md5("one")) bs=1 seek=40 conv=notrunc; rm -rf root/cache/*")
        try place.start()
        #expect(try bus.call("Mount", arguments) == Answer(data: "\"\(place.mountPath("a"))\""))
        #expect(try place.shell("cat root/mountpoint/a/d/file root/mountpoint/a/name").output == "deep\none\n")
    }
}
