import BlockCache
import FlistContent
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("One cache for several", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct SharedCacheTests {
    @Test("two mounts of one tree fill it together, and a third needs no store", .timeLimit(.minutes(5)))
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
}
