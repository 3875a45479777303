import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite(
    "Starting again", .serialized, .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"),
    .timeLimit(.minutes(5)))
struct RecoveryTests {
    typealias Answer = PythonBusClient.Answer
    /// Without a keeper, or when that let go, mounts are made again.
    private let unkept = ["--keep", "0"]

    enum End: String, CaseIterable, CustomTestStringConvertible {
        case killed, terminated

        var testDescription: String { rawValue }

        func happen(to daemon: RunningDaemon) {
            switch self {
            case .killed: daemon.kill()
            case .terminated: #expect(daemon.terminate() == 0)
            }
        }
    }

    @Test(
        "names are back at their paths, with what was written, their hashes, limits and stores", arguments: End.allCases
    )
    func names(end: End) throws {
        let place = try DaemonPlace()
        // Its blocks are where only the caller knows.
        try place.makeTree("moved", "echo moved > name; echo more > more")
        try place.publish("moved", blocks: "home")
        try place.shell("mv home elsewhere")
        let first = try place.start(unkept)
        let bus = try place.bus()
        let mount = { (name: String, flist: String, options: String) in
            PythonBusSession.Call("Mount", "[\"\(name)\", \"\(place.url(flist))\", \(options)]")
        }
        let store = "dir://\(place.path("elsewhere"))"
        let answers = try bus.call([
            mount("ro", "one", "[true, 0, \"\", \"\"]"),
            mount("rw", "one", "[false, 67108864, \"\", \"\"]"),
            mount("kept", "one", "[false, 0, \"\", \"\(place.path("mine"))\"]"),
            mount("moved", "moved", "[true, 0, \"\(store)\", \"\"]"),
        ])
        #expect(answers == ["ro", "rw", "kept", "moved"].map { Answer(data: "\"\(place.mountPath($0))\"") })
        try place.shell("cd root/mountpoint; echo written > rw/new; rm -r rw/d; echo mine > kept/name; cat moved/name")
        let before = try place.mounts
        end.happen(to: first)

        let second = try place.start(unkept)
        #expect(try place.mounts == before)
        #expect(
            try place.shell("cd root/mountpoint; cat ro/name rw/new kept/name moved/more; ls rw").output
                == "one\nwritten\nmine\nmore\nchanging\nname\nnew\n")
        for (name, flist) in [("ro", "one"), ("rw", "one"), ("kept", "one"), ("moved", "moved")] {
            #expect(try bus.call("HashFromRootPath", "[\"\(name)\"]") == Answer(data: "\"\(place.md5(flist))\""))
        }
        #expect(
            try bus.call("UpdateMountSize", "[\"rw\", 134217728]")
                == Answer(data: "\"\(place.mountPath("rw"))\""))
        // And once more the other way around.
        (end == .killed ? End.terminated : .killed).happen(to: second)
        let third = try place.start(unkept)
        #expect(try place.mounts == before)
        #expect(try place.shell("cat root/mountpoint/rw/new root/mountpoint/moved/more").output == "written\nmore\n")
        for name in ["ro", "rw", "kept", "moved"] {
            #expect(try bus.call("Unmount", "[\"\(name)\"]") == Answer(data: "null"))
        }
        #expect(try place.mounts == [])
        #expect(try place.shell("ls root/volumes; cat mine/rw/name").output == "mine\n")
        #expect(third.terminate() == 0)
    }

    @Test(
        "a mount whose flist is gone is cleared; its volume waits for the next Mount of the name",
        arguments: End.allCases)
    func lostFlist(end: End) throws {
        let place = try DaemonPlace()
        let first = try place.start(unkept)
        let bus = try place.bus()
        let arguments = "[\"a\", \"\(place.url("one"))\", [false, 67108864, \"\", \"\"]]"
        let answer = Answer(data: "\"\(place.mountPath("a"))\"")
        #expect(try bus.call("Mount", arguments) == answer)
        try place.shell("echo written > root/mountpoint/a/new")
        end.happen(to: first)
        try place.shell("rm root/flist/\(place.md5("one"))")

        let second = try place.start(unkept)
        #expect(second.log.contains("a mount of an earlier run is given up"))
        #expect(try place.mounts == [])
        #expect(try bus.call("Exists", "[\"a\"]") == Answer(data: "false"))
        #expect(try bus.call("Mount", arguments) == answer)
        #expect(try place.shell("cat root/mountpoint/a/new root/mountpoint/a/name").output == "written\none\n")
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(try place.shell("ls root/volumes").output == "")
    }

    @Test("who sits in a mount holds up nothing, and sees that it has ended", arguments: End.allCases)
    func sitting(end: End) throws {
        let place = try DaemonPlace()
        let first = try place.start(unkept)
        let bus = try place.bus()
        #expect(
            try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        #expect(
            try bus.call("Mount", "[\"b\", \"\(place.url("one"))\", [false, 67108864, \"\", \"\"]]")?.error == nil)
        let sitters = try ["a/d", "b/d"].map { try ChildProcess(["sleep", "1000"], in: place.mountPath($0)) }
        end.happen(to: first)
        try place.start(unkept)
        for sitter in sitters {
            let look = try place.shell("ls /proc/\(sitter.pid)/cwd/")
            #expect(look.errors.contains("Transport endpoint is not connected"), "\(look)")
        }
        #expect(try place.shell("cat root/mountpoint/a/d/file root/mountpoint/b/d/file").output == "deep\ndeep\n")
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(try bus.call("Unmount", "[\"b\"]") == Answer(data: "null"))
        #expect(try place.mounts == [])
    }

    @Test("a name that is asked for right at the start is there")
    func early() throws {
        let place = try DaemonPlace()
        let first = try place.start(unkept)
        let bus = try place.bus()
        #expect(
            try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        first.kill()
        try bus.send([.init("Exists", "[\"a\"]"), .init("HashFromRootPath", "[\"a\"]")])
        try place.start(unkept, isServing: false)
        #expect(try bus.receive() == [Answer(data: "true"), Answer(data: "\"\(place.md5("one"))\"")])
    }
}
