import FUSESession
import FlistContent
import FlistFileSystem
import TestSupport
import Testing

@Suite("Requests that the kernel sends for", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct WorkloadRequestTests {
    /// 10 directories of 20 small files each.
    private static let (directories, files) = (10, 200)

    /// Mounts the tree, and hands over what counts.
    private func mounted(_ opens: OpenMode, _ body: (MountPlace, FlistMount) throws -> Void) throws {
        let place = try MountPlace()
        try place.shell("cd source; for d in {1..10}; do mkdir $d; for f in {1..20}; do echo $d-$f > $d/$f; done; done")
        try place.pack()
        let flist = try OpenFlist(place.path("tree.fl"), options: place.options())
        var options = FlistMount.Options()
        options.mount.opens = opens
        options.usesProfile = false
        let mount = try FlistMount.mount(flist, source: "tree", at: place.target, options: options)
        defer {
            try? mount.stop()
            mount.wait()
            flist.close()
        }
        try body(place, mount)
    }

    /// Requests by kind, without STATFS, which find(1) asks for at each start, and without the kernel's word of what it
    /// has forgotten, which comes when it likes.
    private func counts(_ mount: FlistMount) -> [RequestCounters.Kind: UInt64] {
        let kinds = RequestCounters.Kind.allCases.filter { ![.forget, .batchForget, .statistics].contains($0) }
        return Dictionary(uniqueKeysWithValues: kinds.map { ($0, mount.requests[$0]) })
    }

    @Test("find: a READDIRPLUS or two for each directory, no LOOKUP; again: nothing", .timeLimit(.minutes(5)))
    func find() throws {
        try mounted(.none) { place, mount in
            let names = try place.shell("find target -printf '%s %m %n %p\\n' | wc -l").output
            #expect(names == "\(Self.files + Self.directories + 1)\n")
            let listings = mount.requests[.readDirectoryPlus] + mount.requests[.readDirectory]
            #expect(listings <= UInt64(2 * (Self.directories + 1)))
            #expect(mount.requests[.lookup] == 0)
            // The first is answered: never again.
            #expect(mount.requests[.openDirectory] == 1 && mount.requests[.releaseDirectory] == 0)
            #expect(try settles({ counts(mount) }) { try place.shell("find target -printf '%s %m %n %p\\n'") })
        }
    }

    @Test("reading small files twice: one READ each, one OPEN in all; again: nothing", .timeLimit(.minutes(5)))
    func read() throws {
        try mounted(.none) { place, mount in
            try place.shell("find target -type f -print0 | xargs -0 cat")
            #expect(mount.requests[.read] == UInt64(Self.files))
            #expect(mount.requests[.open] == 1 && mount.requests[.release] == 0)
            // The root's.
            #expect(mount.requests[.getAttributes] <= 2)
            #expect(try settles({ counts(mount) }) { try place.shell("find target -type f -print0 | xargs -0 cat") })
        }
    }

    @Test(
        "reading small files twice with opens by message: an OPEN for each time, a READ for the first only",
        .timeLimit(.minutes(5)))
    func readByMessage() throws {
        try mounted(.message) { place, mount in
            var times: UInt64 = 0
            func readAll() throws {
                times += 1
                try place.shell("find target -type f -print0 | xargs -0 cat")
                #expect(mount.requests[.open] == times * UInt64(Self.files))
            }
            try readAll()
            #expect(mount.requests[.read] == UInt64(Self.files))
            #expect(try settles({ mount.requests[.read] }, readAll))
        }
    }
}
