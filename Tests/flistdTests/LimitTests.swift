import Foundation
import Support
import TestSupport
import Testing

@Suite(
    "Limits and volumes over the bus", .serialized,
    .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"), .timeLimit(.minutes(5)))
struct LimitTests {
    typealias Answer = PythonBusClient.Answer

    @Test("a writer gets EDQUOT at the limit; it can be raised, and not lowered below what is in use")
    func limit() throws {
        let place = try DaemonPlace()
        try place.start()
        let bus = try place.bus()
        let path = place.mountPath("a")
        let answer = Answer(data: "\"\(path)\"")
        #expect(
            try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [false, 33554432, \"\", \"\"]]") == answer)
        let write = { (name: String, size: String) in
            try place.shell(
                "head -c \(size) /dev/urandom > root/mountpoint/a/\(name) && sync root/mountpoint/a/\(name)")
        }
        #expect(try write("small", "8M").status == 0)
        let sum = try place.shell("md5sum < root/mountpoint/a/small").output
        #expect(try write("big", "64M").errors.contains("Disk quota exceeded"))
        #expect(try place.shell("md5sum < root/mountpoint/a/small").output == sum)
        #expect(try bus.call("UpdateMountSize", "[\"a\", 134217728]") == answer)
        #expect(try write("big", "64M").status == 0)
        let refused = try #require(try bus.call("UpdateMountSize", "[\"a\", 16777216]"))
        #expect(refused.data == "\"\"")
        // 72 MiB of files, and some KiB of records of them.
        #expect(
            try #require(refused.error).wholeMatch(of: /cannot lower a to 16\.0 MiB: 72\.\d MiB are in use/) != nil,
            "\(refused)")
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(
            try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", {}]")?.error
                == "invalid mount option, missing disk type")
    }

    @Test("a persisted volume outlives its mounts, whatever it is called")
    func persisted() throws {
        let place = try DaemonPlace()
        let daemon = try place.start()
        let bus = try place.bus()
        let url = place.url("one")
        let mine = place.path("mine")
        for (name, text) in [("mine", "first"), ("other", "second")] {
            #expect(
                try bus.call("Mount", "[\"\(name)\", \"\(url)\", [false, 0, \"\", \"\(mine)\"]]")
                    == Answer(data: "\"\(place.mountPath(name))\""))
            try place.shell("echo \(text) >> root/mountpoint/\(name)/log")
            #expect(try bus.call("Unmount", "[\"\(name)\"]") == Answer(data: "null"))
        }
        #expect(try place.shell("cat mine/rw/log").output == "first\nsecond\n")
        // A volume of the node's own that is lent to another name.
        #expect(try bus.call("Mount", "[\"a\", \"\(url)\", [false, 67108864, \"\", \"\"]]")?.error == nil)
        try place.shell(
            "echo lent > root/mountpoint/a/lent; cp -a root/volumes/a/rw/lent lent; umount root/mountpoint/a")
        #expect(
            try bus.call("Mount", "[\"b\", \"\(url)\", [false, 0, \"\", \"\(place.root)/volumes/a\"]]")?.error == nil)
        #expect(try place.shell("cat root/mountpoint/b/lent").output == "lent\n")
        for name in ["a", "b", "a"] { #expect(try bus.call("Unmount", "[\"\(name)\"]") == Answer(data: "null")) }
        #expect(try place.shell("cat root/volumes/a/rw/lent").output == "lent\n")
        #expect(daemon.terminate() == 0)
    }

    @Test("fifty Mounts at the same time download once, and all are right")
    func concurrent() throws {
        let place = try DaemonPlace()
        try place.start()
        let bus = try place.bus()
        let url = place.url("one")
        let names = (0..<50).map { "m\($0)" }
        let mounts = names.enumerated().map { index, name in
            PythonBusSession.Call(
                "Mount", "[\"\(name)\", \"\(url)\", [\(index % 2 == 0), 33554432, \"\", \"\"]]")
        }
        #expect(try bus.call(mounts) == names.map { Answer(data: "\"\(place.mountPath($0))\"") })
        #expect(try place.mounts.filter { $0.hasPrefix("mountpoint/") }.count == 50)
        #expect(try place.mounts.filter { $0.hasPrefix("ro/") }.count == 1)
        #expect(
            try place.shell("cat root/mountpoint/*/name | sort | uniq -c").output.split(separator: " ").joined(
                separator: " ") == "50 one\n")
        #expect(try place.shell("for i in $(seq 1 2 49); do echo $i > root/mountpoint/m$i/own; done").status == 0)
        #expect(try place.shell("cat root/mountpoint/m7/own root/mountpoint/m49/own").output == "7\n49\n")
        let requests = try place.hub.log(atLeast: 2).map(\.request)
        #expect(requests.count { $0 == "GET /one.fl" } == 1, "\(requests)")
        // Everything at once: unmounting, mounting again what is there, asking.
        let mixed = names.enumerated().map { index, name in
            index % 2 == 0
                ? PythonBusSession.Call("Unmount", "[\"\(name)\"]")
                : PythonBusSession.Call("Mount", "[\"\(name)\", \"\(url)\", {}]")
        }
        let answers = try bus.call(mixed)
        #expect(
            answers
                == names.enumerated().map { index, name in
                    Answer(data: index % 2 == 0 ? "null" : "\"\(place.mountPath(name))\"")
                })
        #expect(try place.mounts.filter { $0.hasPrefix("mountpoint/") }.count == 25)
        #expect(
            try bus.call(names.map { .init("Unmount", "[\"\($0)\"]") }) == names.map { _ in Answer(data: "null") })
        #expect(try place.mounts == [])
        #expect(
            try place.shell("ls -A root/mountpoint root/ro root/volumes").output
                == "root/mountpoint:\n\nroot/ro:\n\nroot/volumes:\n")
    }
}
