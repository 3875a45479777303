import FlistContent
import Foundation
import Glibc
import Support
import TestSupport
import Testing

/// Whoever waits for a store that says nothing waits for an hour here: what ends before the time limit did not wait.
@Suite(
    "Ending mounts whose stores are silent", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"),
    .timeLimit(.minutes(5)))
struct SilentStoreTests {
    private static let readers = 100

    private func place(_ proxy: FaultProxy) throws -> MountPlace {
        let place = try MountPlace()
        for number in 0..<Self.readers {
            try place.write(MountPlace.noise(3000, seed: UInt64(number + 1)), "f\(number)")
        }
        try place.pack(store: "redis://127.0.0.1:\(proxy.port)")
        try proxy.set(.stall(after: 0))
        proxy.breakConnections()
        return place
    }

    /// Starts readers of all files, and returns when all of them wait. Their numbers are in `readers`, their failures in
    /// `errors`.
    private func startReaders(_ place: MountPlace) throws -> ChildProcess {
        let shell = try ChildProcess(
            [
                "bash", "-c",
                "for f in target/f*; do cat $f > /dev/null 2>&1 & echo $! >> readers; done; for r in $(cat readers); do wait $r || echo failed >> errors; done",
            ], in: place.folder)
        // Each has its file open and sleeps in the kernel.
        let look =
            "[ $(wc -l < readers) = \(Self.readers) ] && for p in $(cat readers); do "
            + "[ -e /proc/$p/fd/3 ] && grep -q wait /proc/$p/wchan || exit 1; done"
        let doWait = eventually { (try? place.shell(look).status) == 0 }
        #expect(doWait)
        return shell
    }

    @Test("umount says busy while readers wait; lazily it takes the mount away at once", arguments: [false, true])
    func unmount(isOurs: Bool) throws {
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        let place = try place(proxy)
        let mount = try ServedMount(place, "timeout=3600,noprofile")
        let readers = try startReaders(place)
        let program = isOurs ? "\(MountPlace.program) umount" : "umount"
        let busy = try place.shell("\(program) \(place.target)")
        #expect(busy.status != 0 && (busy.output.contains("busy") || busy.output.contains("in use by cat")))
        #expect(try place.shell("\(program) \(isOurs ? "--lazy" : "-l") \(place.target)").status == 0)
        #expect(try MountTable.current().find(target: place.target) == nil)
        mount.signal(SIGTERM)
        #expect(mount.wait() == 0)
        readers.wait()
        #expect(try place.shell("grep -c failed errors").output == "\(Self.readers)\n")
    }

    @Test("SIGTERM ends the process that serves, and gives all readers an error", arguments: [false, true])
    func terminated(isWritable: Bool) throws {
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        let place = try place(proxy)
        let mount = try ServedMount(place, "timeout=3600,noprofile", isWritable ? ["--rw", "changes"] : [])
        let readers = try startReaders(place)
        mount.signal(SIGTERM)
        #expect(mount.wait() == 0)
        readers.wait()
        #expect(try place.shell("grep -c failed errors").output == "\(Self.readers)\n")
        #expect(try MountTable.current().find(target: place.target) == nil)
    }

    @Test("readers end at SIGKILL, and umount does not wait for what they asked for", arguments: [false, true])
    func killed(isWritable: Bool) throws {
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        let place = try place(proxy)
        let mount = try ServedMount(place, "timeout=3600,noprofile", isWritable ? ["--rw", "changes"] : [])
        let readers = try startReaders(place)
        #expect(try place.shell("kill -KILL $(cat readers)").status == 0)
        readers.wait()
        #expect(try place.shell("umount \(place.target)").status == 0)
        #expect(mount.wait() == 0)
    }

    @Test("a thousand faults leave no connection and no thread behind", arguments: [StoreKind.redis, .http])
    func leaks(kind: StoreKind) throws {
        try #require(kind == .redis || NginxServer.isInstalled)
        let server = try FaultyServer(kind)
        let place = try MountPlace()
        for number in 0..<60 { try place.write(MountPlace.noise(5000, seed: UInt64(number + 1)), "f\(number)") }
        try place.pack()
        for folder in try FileManager.default.contentsOfDirectory(atPath: place.path("blocks")) {
            for name in try FileManager.default.contentsOfDirectory(atPath: place.path("blocks/\(folder)")) {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: place.path("blocks/\(folder)/\(name)")))
                try server.put(try #require(Hex.decode(name)), name, Array(bytes))
            }
        }
        try FileManager.default.removeItem(atPath: place.path("blocks"))
        let proxy = try FaultProxy(to: server.port)
        let mount = try ServedMount(place, "timeout=0.3,noprofile", ["--store", server.address(proxy.port)])
        let read = "ls target/f* | xargs -P 30 -n 2 cat > /dev/null"
        #expect(try place.shell("cmp source/f0 target/f0").status == 0)
        let faults: [StoreFault] = [.resetInReply, .silent, .hangUp, .truncate, .resetAtOnce, .wrongBlock, .refuse]
        var rounds = 0
        while proxy.connections < 1000, rounds < 60 {
            let fault = try #require(
                faults[rounds % faults.count].proxyFault(kind, other: MountPlace.noise(3000, seed: 99)))
            try proxy.set(fault)
            proxy.breakConnections()
            #expect(try place.shell(read).status != 0)
            rounds += 1
        }
        #expect(proxy.connections >= 1000)
        try proxy.set(.none)
        proxy.breakConnections()
        let isMended = eventually { (try? place.shell("diff -r source target").status) == 0 }
        #expect(isMended)
        // As many as a store may have, and not one thread for a connection that is being made.
        let isSettled = eventually { mount.sockets <= (kind == .redis ? 8 : 32) && mount.threads <= 20 }
        #expect(isSettled, "\(mount.sockets) sockets, \(mount.threads) threads after \(proxy.connections) connections")
        #expect(try place.shell("umount \(place.target)").status == 0)
        #expect(mount.wait() == 0)
    }
}
