import Glibc
import Support
import TestSupport
import Testing

@testable import Volumes

@Suite("The quotas of a pool", .serialized, .timeLimit(.minutes(5)))
struct PoolQuotaTests {
    /// Makes a volume and deletes it so that the kernel keeps its group, empty; answers the group's id.
    ///
    /// Kernels before 6.10 keep all; newer ones do so when another volume shared its data when it went. When that was
    /// is not to be seen, so it is tried until it was in time.
    private func leaveStale(_ place: StorePlace, _ store: BtrfsVolumeStore) throws -> UInt64 {
        for _ in 0..<20 {
            var file = FillingFile(try store.create("stale", limit: 8 << 20).path + "/file")
            #expect(try file.fill(upTo: 1 << 20) == nil)
            let id = try #require(Set(try place.groups()).max())
            try run("cp", "--reflink=always", file.path, "\(place.pool)/keeper/file")
            try store.delete("stale")
            try run("btrfs", "subvolume", "sync", place.pool)
            usleep(100_000)
            try #require(unlink("\(place.pool)/keeper/file") == 0)
            try run("btrfs", "filesystem", "sync", place.pool)
            if try place.groups().contains(id) { return id }
        }
        throw Errno.timedOut
    }

    @Test("forget subvolumes that are gone, and keep the others")
    func stale() throws {
        try withPlace { place in
            let store = try place.store()
            _ = try store.create("keeper", limit: 8 << 20)
            try run("btrfs", "subvolume", "create", "\(place.pool)/foreign")
            let live = try place.groups()
            #expect(live.count == 2)
            // By who deleted it, when something else is to be done.
            let first = try leaveStale(place, store)
            try store.delete("nothing")
            #expect(Set(try place.groups()) == Set(live))
            // By whoever opens the pool next.
            let second = try leaveStale(place, store)
            #expect(second > first)
            let next = try place.store()
            #expect(Set(try next.all().map(\.name)) == ["keeper", "foreign"])
            #expect(Set(try place.groups()) == Set(live))
            store.close()
            next.close()
        }
    }

    @Test("are gone, not broken, while the kernel takes them away")
    func vanishing() throws {
        try withPlace { place in
            let store = try place.store()
            defer { store.close() }
            for _ in 0..<20 {
                _ = try store.create("a", limit: 1 << 20)
                let id = try #require(Set(try place.groups()).max())
                let quota = try Quota(of: FileDescriptor(place.pool, O_RDONLY | O_DIRECTORY))
                let end = Monitor<Errno?>(nil)
                let reader = try WorkerThread("reader") {
                    let limit = Deadline.after(.seconds(60))
                    do throws(Errno) {
                        while !limit.hasPassed { _ = try quota.figures(of: id) }
                    } catch {
                        end.withLock { $0 = error }
                    }
                }
                try store.delete("a")
                try run("btrfs", "filesystem", "sync", place.pool)
                let isOver = try eventually {
                    // Has the group taken away where the kernel keeps it.
                    try store.delete("nothing")
                    return end.withLock { $0 } != nil
                }
                #expect(isOver)
                reader.join()
                #expect(end.withLock { $0 } == .noEntry)
            }
        }
    }

    @Test("are turned on where they are off; a store at work says how")
    func turnedOff() throws {
        try withPlace(.btrfs) { place in
            let store = try place.store()
            _ = try store.create("a", limit: 1 << 20)
            try run("btrfs", "quota", "disable", place.root)
            let complaint = """
                cannot read the quota of volume \(place.pool)/a: No such file or directory; are its quotas on? \
                Try: btrfs quota enable \(place.pool)
                """
            #expect(failure { _ = try store.lookup("a") } == complaint)
            store.close()
            // The limit went with the quotas.
            #expect(try store.lookup("a")?.limit == 0)
            try store.update("a", limit: 2 << 20)
            #expect(try store.lookup("a")?.limit == 2 << 20)
        }
    }

    @Test("may be simple ones, if the host has those already")
    func simple() throws {
        try withPlace(.btrfs) { place in
            do {
                let root = try FileDescriptor(place.root, O_RDONLY | O_DIRECTORY)
                try Quota(of: root).enable(.simple, on: root)
            }
            let store = try place.store()
            var file = FillingFile(try store.create("a", limit: 8 << 20).path + "/file")
            #expect(try file.fill(upTo: 64 << 20) == .quotaExceeded)
            #expect(file.length > 7 << 20)
            #expect(try file.isWhole())
            try store.delete("a")
            #expect(eventually { (try? place.groups()) == [] })
        }
    }

    @Test("say what is wrong with a file system that may only be read")
    func readOnlyHost() throws {
        try withPlace(.btrfs) { place in
            try run("mount", "-o", "remount,ro", place.root)
            let complaint = failure { _ = try place.store().create("a", limit: 1) }
            #expect(complaint == "cannot make \(place.pool): Read-only file system")
        }
    }
}
