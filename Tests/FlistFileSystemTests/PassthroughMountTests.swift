import FUSESession
import FlistContent
import FlistFileSystem
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Mounts with passthrough", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct PassthroughMountTests {
    /// Mounts with a way to open; nil for the mount's own choice.
    private func mounted(
        _ place: MountPlace, opens: OpenMode?, options: ContentOptions? = nil, writable: String? = nil,
        _ body: (FlistMount) throws -> Void
    ) throws {
        let open = try OpenFlist(place.path("tree.fl"), options: try options ?? place.options())
        var settings = FlistMount.Options()
        settings.mount.opens = opens
        settings.writableFolder = writable
        if writable != nil { settings.mount.readOnly = false }
        let mount = try FlistMount.mount(open, source: "tree.fl", at: place.target, options: settings)
        defer {
            try? mount.stop()
            mount.wait()
            open.close()
        }
        try body(mount)
    }

    private func fact(_ place: MountPlace) throws -> String {
        try place.shell("getfattr --only-values -n user.flist.open target").output
    }

    private func isSame(_ place: MountPlace, _ name: String) throws -> Bool {
        try place.shell("cmp source/\(name) target/\(name)").status == 0
    }

    /// Waits until the cache has all of a file, which may be a moment after its reader had it.
    private func isComplete(_ place: MountPlace, _ name: String, _ mount: FlistMount) -> Bool {
        eventually {
            guard eventually({ mount.openFiles == (0, 0) }),
                let file = try? FileDescriptor(place.path("target/\(name)"), O_RDONLY)
            else { return false }
            return withExtendedLifetime(file) { mount.openFiles == (1, 1) }
        }
    }

    @Test("read a file by messages while it comes, and from then on not at all", .timeLimit(.minutes(5)))
    func comesAndStays() throws {
        let place = try MountPlace()
        try place.shell("head -c 20M /dev/urandom > source/big; cp /bin/true source/program; : > source/empty")
        try place.shell("truncate -s 5M source/hole")
        try place.pack()
        let names = ["big", "program", "empty", "hole"]
        for writable in [nil, place.path("changes")] {
            try mounted(place, opens: .passthrough, writable: writable) { mount throws in
                #expect(mount.opens == .passthrough)
                if writable == nil {
                    #expect(try fact(place) == "passthrough")
                    for name in names { #expect(try isSame(place, name), "\(name)") }
                    #expect(mount.requests[.read] > 0)
                    for name in ["big", "program"] { #expect(isComplete(place, name, mount)) }
                }
                let reads = mount.requests[.read]
                for name in ["big", "program"] { #expect(try isSame(place, name), "\(name)") }
                #expect(try place.shell("target/program").status == 0)
                #expect(mount.requests[.read] == reads)
                // There is no file of these in the cache.
                for name in ["empty", "hole"] { #expect(try isSame(place, name), "\(name)") }
                guard writable != nil else { return }
                #expect(
                    try place.shell("echo more >> target/program && cmp -n 1000 source/program target/program").status
                        == 0)
                #expect(try place.shell("tail -c 5 target/program").output == "more\n")
            }
        }
    }

    @Test("go on with a file that is removed from the cache while it is open", .timeLimit(.minutes(5)))
    func evicted() throws {
        let place = try MountPlace()
        let bytes = MountPlace.noise(2 << 20, seed: 5)
        try place.write(bytes, "file")
        try place.pack()
        try mounted(place, opens: .passthrough) { mount throws in
            #expect(try isSame(place, "file"))
            let path = place.path("target/file")
            try #require(isComplete(place, "file", mount))
            try #require(eventually { mount.openFiles == (0, 0) })
            let file = try FileDescriptor(path, O_RDONLY)
            try #require(mount.openFiles == (1, 1))
            let memory = try #require(mmap(nil, bytes.count, PROT_READ, MAP_SHARED, file.number, 0))
            try #require(memory != MAP_FAILED)
            defer { munmap(memory, bytes.count) }
            let reads = mount.requests[.read]
            try place.shell("\(MountPlace.dropPages("cache")); find cache -type f -size +1M -delete")
            #expect(UnsafeRawBufferPointer(start: memory, count: bytes.count).elementsEqual(bytes))
            let isSame = MountPlace.read(path) == .success(bytes)
            #expect(isSame)
            #expect(mount.requests[.read] == reads)
        }
        // What is gone is fetched again.
        try mounted(place, opens: .passthrough) { mount throws in
            #expect(try isSame(place, "file"))
            #expect(isComplete(place, "file", mount))
            #expect(try place.shell("find cache -type f -size +1M").output.isEmpty == false)
        }
    }

    @Test("serve those who read on while a file becomes complete", .timeLimit(.minutes(5)))
    func whileItComes() throws {
        let place = try MountPlace()
        try place.shell("head -c 24M /dev/urandom > source/big")
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        try place.pack(store: "redis://127.0.0.1:\(proxy.port)")
        try proxy.set(.trickle(bytes: 256 << 10, every: .milliseconds(2)))
        try mounted(place, opens: .passthrough) { mount throws in
            let command = "for i in 1 2 3 4 5 6; do cmp source/big target/big || exit 1; done"
            let outcomes = Monitor<[Int32]>([])
            let readers = try (0..<4).map { _ in
                try WorkerThread("reader") {
                    let status = (try? place.shell(command).status) ?? -1
                    outcomes.withLock { $0.append(status) }
                }
            }
            readers.forEach { $0.join() }
            #expect(outcomes.withLock { $0 } == [0, 0, 0, 0])
            #expect(isComplete(place, "big", mount))
            let reads = mount.requests[.read]
            #expect(try isSame(place, "big"))
            #expect(mount.requests[.read] == reads)
        }
    }

    @Test("or without hold one copy in memory", .timeLimit(.minutes(5)), arguments: OpenMode.allCases)
    func oneCopy(opens: OpenMode) throws {
        let place = try MountPlace()
        try place.write(MountPlace.noise(4000, seed: 8), "file")
        try place.pack()
        try mounted(place, opens: OpenMode.none) { _ throws in #expect(try isSame(place, "file")) }
        // What is not on the disk yet stays in memory.
        try place.shell("sync -f cache; \(MountPlace.dropPages("cache"))")
        func resident() -> String? {
            let command = "find cache/objects cache/fresh -type f -print0 | xargs -0 fincore -bnro RES"
            return try? place.shell(command).output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        #expect(resident() == "0")
        try mounted(place, opens: opens) { _ throws in
            #expect(try place.shell("cat target/file | wc -c").output == "4000\n")
            #expect(eventually { resident() == (opens == .passthrough ? "4096" : "0") })
        }
    }

    @Test(
        "are chosen where four fifths of the bytes lie in large files", .timeLimit(.minutes(5)),
        arguments: [(16 << 20, 4 << 20, OpenMode.passthrough), (16 << 20, (4 << 20) + 8, .none), (15 << 20, 0, .none)])
    func choice(large: Int, small: Int, expected: OpenMode) throws {
        let place = try MountPlace()
        try place.shell("truncate -s \(large) source/large; truncate -s \(small) source/small")
        try place.pack()
        try mounted(place, opens: nil) { mount throws in
            #expect(mount.opens == expected)
            #expect(try fact(place) == expected.rawValue)
        }
        // Nothing to read by itself.
        try mounted(place, opens: nil, options: try place.options(cache: nil)) { #expect($0.opens == .none) }
        try mounted(place, opens: .message) { mount throws in
            #expect(mount.opens == .message)
            // Pages are kept from one open to the next.
            let isKept = try settles({ mount.requests[.read] }) { () throws in #expect(try isSame(place, "large")) }
            #expect(isKept)
        }
    }
}
