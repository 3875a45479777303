import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite(
    "Beside others", .serialized, .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"),
    .timeLimit(.minutes(5)))
struct NeighbourTests {
    typealias Answer = PythonBusClient.Answer

    @Test("a second flistd refuses a root that is served, and the first goes on")
    func twice() throws {
        let place = try DaemonPlace()
        try place.start()
        let bus = try place.bus()
        #expect(try bus.call("Mount", "[\"a\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")?.error == nil)
        try place.shell("ln -s root link")
        for root in [place.root, place.path("link")] {
            let outcome = try place.flistd(["--broker", place.broker, "--root", root])
            #expect(outcome.status == 1)
            #expect(
                outcome.errors
                    == "flistd: another flistd serves \(place.root); stop it, or choose another --root\n")
        }
        #expect(try bus.call("Exists", "[\"a\"]") == Answer(data: "true"))
        #expect(try place.shell("cat root/mountpoint/a/name").output == "one\n")
        #expect(try place.flist("status", "--root", place.root).status == 0)
    }

    /// As the node's module of before leaves them: `ro/<md5>` by g8ufs, and overlays or binds over it.
    private func foreignMounts(_ place: DaemonPlace) throws {
        let outcome = try place.shell(
            """
            set -e; mkdir -p bin root/flist root/ro root/mountpoint/old root/mountpoint/bound vol/rw vol/wd root/cache
            ln -s "$FLIST" bin/g8ufs; cp \(place.hub.root)/one.fl root/flist/\(place.md5("one"))
            shared=$PWD/root/ro/\(place.md5("one")); mkdir $shared
            bin/g8ufs --cache "$PWD/root/cache" --meta "$PWD/root/flist/\(place.md5("one"))" --daemon \
                --storage-url zdb://127.0.0.1:1 --log "$PWD/g8ufs.log" "$shared"
            mount -t overlay -o noatime,lowerdir=$shared,upperdir=$PWD/vol/rw,workdir=$PWD/vol/wd overlay \
                root/mountpoint/old
            mount --bind $shared root/mountpoint/bound
            echo written > root/mountpoint/old/new
            """)
        #expect(outcome.status == 0, "\(outcome)")
    }

    @Test("live mounts of the node's module of before are left alone, known, and taken away by Unmount")
    func foreign() throws {
        let place = try DaemonPlace()
        try foreignMounts(place)
        let md5 = try place.md5("one")
        let before = try place.shell("grep -F '\(place.folder)/' /proc/self/mountinfo").output
        let server = try #require(
            Int32(try place.shell("findmnt -n -o SOURCE root/ro/\(md5)").output.replacing("\n", with: "")))
        try place.start()
        #expect(try place.shell("grep -F '\(place.folder)/' /proc/self/mountinfo").output == before)
        #expect(
            try place.shell("cd root/mountpoint; cat old/new old/name bound/d/file").output == "written\none\ndeep\n")
        let bus = try place.bus()
        for name in ["old", "bound"] {
            #expect(try bus.call("Exists", "[\"\(name)\"]") == Answer(data: "true"))
            #expect(
                try bus.call("HashFromRootPath", "[\"\(place.mountPath(name))\"]") == Answer(data: "\"\(md5)\""))
            // Nothing is mounted anew.
            #expect(
                try bus.call("Mount", "[\"\(name)\", \"http://127.0.0.1:1/x\", {}]")
                    == Answer(data: "\"\(place.mountPath(name))\""))
        }
        #expect(
            try bus.call("UpdateMountSize", "[\"old\", 1]")?.error
                == "cannot limit old: what it writes goes to \(place.path("vol/rw")), a folder without a limit")
        #expect(try bus.call("Unmount", "[\"old\"]") == Answer(data: "null"))
        #expect(try place.mounts == ["mountpoint/bound", "ro/\(md5)"])
        #expect(try bus.call("Unmount", "[\"bound\"]") == Answer(data: "null"))
        #expect(try place.mounts == [])
        #expect(try place.shell("ls -A root/mountpoint root/ro; cat vol/rw/new").output.hasSuffix("\nwritten\n"))
        #expect(eventually { kill(server, 0) != 0 })
    }

    @Test("new names of a flist that another program serves do not disturb those that are there")
    func besideForeign() throws {
        let place = try DaemonPlace()
        try foreignMounts(place)
        try place.start()
        let bus = try place.bus()
        let path = place.mountPath("new")
        #expect(
            try bus.call("Mount", "[\"new\", \"\(place.url("one"))\", [true, 0, \"\", \"\"]]")
                == Answer(data: "\"\(path)\""))
        #expect(
            try place.shell("cd root/mountpoint; cat new/name old/new old/changing bound/d/file").output
                == "one\nwritten\nold\ndeep\n")
        for name in ["old", "bound", "new"] {
            #expect(try bus.call("HashFromRootPath", "[\"\(name)\"]") == Answer(data: "\"\(place.md5("one"))\""))
            #expect(try bus.call("Unmount", "[\"\(name)\"]") == Answer(data: "null"))
        }
        #expect(try place.mounts == [])
    }

    @Test("dead mounts of the node's module of before come to life, with what was written")
    func deadForeign() throws {
        let place = try DaemonPlace()
        try foreignMounts(place)
        // The number in the mount table is the keeper's, its child serves.
        try place.shell("p=$(findmnt -n -o SOURCE root/ro/\(place.md5("one"))); kill -9 $p $(pgrep -P $p)")
        #expect(try eventually { try place.shell("cat root/mountpoint/bound/name").status != 0 })
        try place.start()
        #expect(
            try place.shell("cd root/mountpoint; cat old/name old/new bound/d/file").output == "one\nwritten\ndeep\n")
        #expect(try place.shell("findmnt -n -o FSTYPE root/ro/*").output == "fuse.flist\n")
    }
}
