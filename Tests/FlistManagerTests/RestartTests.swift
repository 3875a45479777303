import FlistManager
import Support
import TestSupport
import Testing
import ZBus

@Suite("A new start", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"), .timeLimit(.minutes(5)))
struct RestartTests {
    /// A storage module that nobody runs: requests wait in redis.
    private func silentVolumes(_ redis: RedisServer) throws -> ZBusVolumeStore {
        ZBusVolumeStore(ZBusClient(try BrokerAddress(parsing: "tcp://127.0.0.1:\(redis.port)")))
    }

    @Test("mounts again over the very folder that was written to, also one inside of the mount's own volume")
    func folder() throws {
        let node = try Node()
        let path = try node.mount("a", limit: 1 << 25)
        try node.shell("echo outer > \(path)/name; umount \(path)")
        try node.mount("a") { $0.persistedVolume = "\(node.root)/volumes/a/inner" }
        try node.shell("echo inner > \(path)/name")
        try node.restart()
        node.flister.recover()
        #expect(try node.shell("cat \(path)/name").output == "inner\n")
        #expect(try node.shell("cat root/volumes/a/rw/name").output == "outer\n")
    }

    @Test("knows the stores of the first Mount of a flist, whatever later ones said, also those that failed")
    func stores() throws {
        let node = try Node()
        try node.shell("mv blocks elsewhere")
        let path = try node.mount("a", readOnly: true) { $0.storage = "dir://\(node.path("elsewhere"))" }
        #expect(throws: FlistError.self) { try node.mount("b", readOnly: true) { $0.storage = "hub:9900" } }
        try node.mount("c", readOnly: true)
        try node.restart()
        node.flister.recover()
        #expect(try node.shell("cat \(path)/name").output == "one\n")
        #expect(try node.shell("cat root/mountpoint/c/d/file").output == "deep\n")
    }

    @Test("gives up what has lost its folder, and mounts nothing over another")
    func lost() throws {
        let node = try Node()
        let path = try node.mount("a") { $0.persistedVolume = node.path("mine") }
        let other = try node.mount("b") { $0.persistedVolume = node.path("other") }
        try node.shell("echo kept > \(other)/kept; mv mine moved")
        try node.restart()
        node.flister.recover()
        #expect(try node.flister.exists("a") == false)
        #expect(
            try node.shell("cat \(other)/kept; ls mine").output
                == "kept\nls: cannot access 'mine': No such file or directory\n")
        #expect(path == "\(node.root)/mountpoint/a")
    }

    @Test("needs no answer of the storage module, and neither does the report")
    func silentStorage() throws {
        let node = try Node()
        let redis = try RedisServer()
        let path = try node.mount("a", limit: 1 << 25)
        try node.mount("b", limit: 1 << 25)
        try node.shell("echo kept > \(path)/kept")
        try node.restart(volumes: silentVolumes(redis))
        node.flister.recover()
        #expect(try node.shell("cat \(path)/kept").output == "kept\n")
        let report = try node.flister.report(version: "1", started: .now, bus: nil)
        #expect(report.mounts.map(\.name) == ["a", "b"])
        #expect(report.mounts.map(\.isReadOnly) == [false, false])
        #expect(report.mounts.map(\.limit) == [nil, nil])
    }

    @Test("is refused where mounts would not be found again")
    func symlink() throws {
        let node = try Node()
        try node.shell("rmdir root/mountpoint; mkdir elsewhere; ln -s ../elsewhere root/mountpoint")
        let error = #expect(throws: FlistError.self) { try node.restart() }
        #expect(
            error?.description
                == "cannot mount in \(node.root)/mountpoint: it is a symlink; make it a folder")
    }
}
