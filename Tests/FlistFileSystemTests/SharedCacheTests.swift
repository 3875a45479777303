import BlockCache
import FlistContent
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("One cache for several", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct SharedCacheTests {
    /// The program beside the bundle of the tests.
    private static let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(".build/debug/flist").path

    @Test("two mounts of one tree fill it together, and a third needs no store", .timeLimit(.minutes(1)))
    func together() throws {
        let place = try MountPlace()
        try RandomTree.make(in: place.source, seed: 5, count: 120)
        try place.write(MountPlace.noise(6 << 20, seed: 6), "large")
        try place.pack()
        let source = try Manifest(of: place.source)
        try place.mounted(place.path("tree.fl"), place.options()) { _ throws in
            try place.mounted(place.path("tree.fl"), place.options(), at: "second") { _ throws in
                let other = Monitor<[String]?>(nil)
                let path = place.path("second")
                let thread = try WorkerThread("other") {
                    let differences = (try? Manifest(of: path).differences(from: source)) ?? ["unreadable"]
                    other.withLock { $0 = differences }
                }
                #expect(try Manifest(of: place.target).differences(from: source) == [])
                thread.join()
                #expect(other.withLock { $0 } == [])
            }
        }
        try place.shell("rm -rf blocks")
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            #expect(try Manifest(of: place.target).differences(from: source) == [])
            #expect(open.fetcher.statistics.blocks == 0)
        }
    }

    @Test("a process killed while it fills the cache leaves nothing wrong in it", .timeLimit(.minutes(2)))
    func killed() throws {
        let place = try MountPlace()
        try RandomTree.make(in: place.source, seed: 7, count: 150)
        for number in 0..<4 { try place.write(MountPlace.noise(5 << 20, seed: UInt64(number + 20)), "large\(number)") }
        try place.pack()
        let source = try Manifest(of: place.source)
        for round in 0..<6 {
            // Readers on all files; the process ends in the midst of it, a little later each time.
            let outcome = try place.shell(
                """
                \(Self.program) mount tree.fl target --cache cache || exit 1
                pid=$(pgrep -f "ready-fd=[0-9]* tree.fl target --cache cache" | head -1)
                (find target -type f -print0 | xargs -0 -P 4 -n 5 cat > /dev/null 2>&1) & reader=$!
                sleep 0.0\(round * 2)
                kill -9 $pid; wait $reader; umount -l target
                """)
            try #require(outcome.status == 0, "\(outcome.output)")
        }
        let check = try place.shell("\(Self.program) cache check --cache cache --json")
        #expect(check.status == 0, "\(check.output)")
        try place.mounted(place.path("tree.fl"), place.options()) { _ throws in
            #expect(try Manifest(of: place.target).differences(from: source) == [])
        }
    }
}
