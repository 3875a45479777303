import Foundation
import Support
import TestSupport
import Testing

@Suite(
    "With the storage module of a node", .serialized,
    .enabled(if: Machine.isFit, "needs root, /dev/fuse, nginx and Python"), .timeLimit(.minutes(5)))
struct StorageModuleTests {
    typealias Answer = PythonBusClient.Answer

    private func start() throws -> (DaemonPlace, StorageModule, PythonBusSession) {
        let place = try DaemonPlace()
        let storage = try StorageModule(place.path("vols"), broker: place.broker)
        try place.start(["--volumes", "zbus"])
        return (place, storage, try place.bus())
    }

    @Test("it makes, limits and deletes the writable sides")
    func volumes() throws {
        let (place, storage, bus) = try start()
        let answer = Answer(data: "\"\(place.mountPath("a"))\"")
        let arguments = "[\"a\", \"\(place.url("one"))\", [false, 67108864, \"\", \"\"]]"
        #expect(try bus.call("Mount", arguments) == answer)
        try place.shell("echo written > root/mountpoint/a/new")
        #expect(try place.shell("cat vols/a/rw/new; ls vols/a").output == "written\nrw\nwd\n")
        #expect(try bus.call("UpdateMountSize", "[\"a\", 134217728]") == answer)
        #expect(
            try bus.call("UpdateMountSize", "[\"a\", 1024]")
                == Answer(data: "\"\"", error: "cannot lower a to 1.0 KiB: 4.0 KiB are in use"))
        let mount = try #require((try place.status()["mounts"] as? [[String: Any]])?.first)
        #expect(mount["limit"] as? Int == 134_217_728 && mount["used"] as? Int == 4096)
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(storage.calls == ["create a 67108864", "update a 134217728", "delete a"])
        #expect(try place.shell("ls vols").output == "")
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        // No pool of our own was made.
        #expect(try place.shell("ls root").output == "cache\ncontrol\nflist\nkeeper\nlock\nlog\nmountpoint\npid\nro\n")
    }

    @Test("read-only mounts and persisted volumes do not ask it for anything")
    func unasked() throws {
        let (place, storage, bus) = try start()
        let url = place.url("one")
        #expect(try bus.call("Mount", "[\"a\", \"\(url)\", [true, 0, \"\", \"\"]]")?.error == nil)
        #expect(
            try bus.call("Mount", "[\"b\", \"\(url)\", [false, 0, \"\", \"\(place.path("mine"))\"]]")?.error == nil)
        for name in ["a", "b"] { #expect(try bus.call("Unmount", "[\"\(name)\"]") == Answer(data: "null")) }
        #expect(storage.calls == [])
    }

    @Test("a volume that cannot be made, or not be used, fails the Mount and leaves nothing")
    func failure() throws {
        let (place, storage, bus) = try start()
        let arguments = "[\"a\", \"\(place.url("one"))\", [false, 67108864, \"\", \"\"]]"
        storage.fail("no space left on any pool")
        #expect(
            try bus.call("Mount", arguments)
                == Answer(
                    data: "\"\"",
                    error: "failed to create read-write subvolume for 0-fs: the storage module cannot create the "
                        + "volume a: no space left on any pool"))
        #expect(try place.mounts == [])
        #expect(
            try place.shell("ls -A root/mountpoint root/ro vols").output
                == "root/mountpoint:\n\nroot/ro:\n\nvols:\n")
        storage.fail(nil)
        #expect(try bus.call("Mount", arguments)?.error == nil)
        storage.fail("the disk is gone")
        #expect(
            try bus.call("UpdateMountSize", "[\"a\", 134217728]")
                == Answer(
                    data: "\"\"",
                    error: "the storage module cannot change the limit of the volume a: the disk is gone"))
        #expect(
            try bus.call("Unmount", "[\"a\"]")
                == Answer(
                    data: "null", error: "the storage module cannot delete the volume a: the disk is gone"))
        storage.fail(nil)
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(try place.shell("ls vols").output == "")
    }

    @Test("a volume that cannot be looked up is not taken for one that is not there")
    func failingLookup() throws {
        let (place, storage, bus) = try start()
        let arguments = "[\"a\", \"\(place.url("one"))\", [false, 67108864, \"\", \"\"]]"
        #expect(try bus.call("Mount", arguments)?.error == nil)
        storage.failLookups("input/output error")
        let text = "the storage module cannot look up the volume a: input/output error"
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null", error: text))
        #expect(try bus.call("Mount", arguments)?.error == text)
        storage.failLookups(nil)
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(storage.calls == ["create a 67108864", "delete a"])
    }

    @Test("a new start finds its volumes under the mounts that were there")
    func restart() throws {
        let place = try DaemonPlace()
        let storage = try StorageModule(place.path("vols"), broker: place.broker)
        let first = try place.start(["--volumes", "zbus"])
        let bus = try place.bus()
        let arguments = "[\"a\", \"\(place.url("one"))\", [false, 67108864, \"\", \"\"]]"
        #expect(try bus.call("Mount", arguments)?.error == nil)
        try place.shell("echo written > root/mountpoint/a/new")
        first.kill()
        try place.start(["--volumes", "zbus"])
        #expect(try place.shell("cat root/mountpoint/a/new root/mountpoint/a/name").output == "written\none\n")
        #expect(try bus.call("Unmount", "[\"a\"]") == Answer(data: "null"))
        #expect(storage.calls == ["create a 67108864", "delete a"])
    }
}
