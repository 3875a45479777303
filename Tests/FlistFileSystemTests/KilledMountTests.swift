import BlockStore
import FlistContent
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Mounts killed while they fill", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct KilledMountTests {
    /// The process that serves a mount in the background, known by the test's own folder in its arguments.
    private func server(of place: MountPlace) throws -> pid_t {
        let found = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name -> pid_t? in
            guard let number = pid_t(name),
                let bytes = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(name)/cmdline"))
            else { return nil }
            let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.contains("mount") && words.contains(place.target) ? number : nil
        }
        try #require(found.count == 1)
        return found[0]
    }

    /// Bytes on disk of the contents in the cache.
    private func filled(_ place: MountPlace) -> UInt64 {
        guard let all = FileManager.default.enumerator(atPath: place.path("cache")) else { return 0 }
        var total: UInt64 = 0
        for case let name as String in all {
            var status = stat()
            guard lstat(place.path("cache/\(name)"), &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            total += UInt64(status.st_blocks) * 512
        }
        return total
    }

    @Test("leave a cache in which nothing is wrong", .timeLimit(.minutes(5)))
    func killed() throws {
        let place = try MountPlace()
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        try RandomTree.make(in: place.source, seed: 7, count: 150)
        try place.shell("for i in 1 2 3 4; do head -c 5M /dev/urandom > source/large$i; done")
        try place.pack(store: "redis://127.0.0.1:\(proxy.port)")
        let source = try Manifest(of: place.source)
        // Slow enough to be hit in the middle.
        try proxy.set(.trickle(bytes: 32 << 10, every: .milliseconds(2)))
        for round in 1...5 {
            let outcome = try place.shell(
                "\(MountPlace.program) mount \(place.path("tree.fl")) \(place.target) --cache cache -o keep=0")
            try #require(outcome.status == 0, "\(outcome.output)")
            let server = try server(of: place)
            let results = Monitor<Int32?>(nil)
            let readers = try WorkerThread("readers") {
                let command = "find target -type f -print0 | xargs -0 -P 4 -n 5 cat > /dev/null 2>&1"
                let status = (try? place.shell(command).status) ?? -1
                results.withLock { $0 = status }
            }
            // Further on from round to round, and never to the end: the large files alone are 20 MiB.
            let isFilled = eventually { filled(place) >= UInt64(round) * 3 << 20 }
            kill(server, SIGKILL)
            readers.join()
            #expect(isFilled)
            #expect(results.withLock { $0 } != 0, "the readers had all they wanted")
            try #require(umount2(place.target, Int32(MNT_DETACH)) == 0)
        }
        try proxy.set(.none)
        let check = try place.shell("\(MountPlace.program) cache check --cache cache --json")
        #expect(check.status == 0, "\(check.output)")
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            #expect(try Manifest(of: place.target).differences(from: source) == [])
            // What had come before was of use.
            let distinct = try redis.info("keyspace", "db0")
            let keys = try #require(
                distinct?.split(separator: ",").first?.split(separator: "=").last.flatMap { UInt64($0) })
            #expect(open.fetcher.statistics.blocks + 20 < keys)
        }
    }
}
