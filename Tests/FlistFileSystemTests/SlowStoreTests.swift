import BlockStore
import CLinux
import FlistContent
import Foundation
import Glibc
import Support
import Synchronization
import TestSupport
import Testing

@Suite("Slow stores", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct SlowStoreTests {
    /// Packs a tree of small files into a redis.
    private func prepare(_ place: MountPlace, port: UInt16, files: Int = 20) throws {
        for number in 0..<files {
            try place.write(MountPlace.noise(5000, seed: UInt64(number + 1)), "f\(number)")
        }
        try place.pack(store: "redis://127.0.0.1:\(port)")
    }

    @Test("lookups and cached reads go on while reads wait", .timeLimit(.minutes(5)))
    func others() throws {
        let place = try MountPlace()
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        for number in 0..<1000 { try place.write([], "empty\(number)") }
        try prepare(place, port: proxy.port)
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            let cached = MountPlace.noise(5000, seed: 1)
            #expect(MountPlace.read(place.path("target/f0")) == .success(cached))
            try proxy.set(.stall(after: 0))
            // More readers than the session has threads, all of them waiting.
            let answered = Monitor(0)
            var readers: [WorkerThread] = []
            for number in 1..<20 {
                let path = place.path("target/f\(number)")
                readers.append(
                    try WorkerThread("reader") {
                        let result = MountPlace.read(path)
                        if result == .success(MountPlace.noise(5000, seed: UInt64(number + 1))) {
                            answered.withLock { $0 += 1 }
                        }
                    })
            }
            #expect(eventually { open.content.statistics.parkedReads == 20 })
            for number in 0..<1000 {
                var status = stat()
                #expect(stat(place.path("target/empty\(number)"), &status) == 0)
            }
            try place.shell(MountPlace.dropPages("target/f0"))
            #expect(MountPlace.read(place.path("target/f0")) == .success(cached))
            // None of the readers could have been answered.
            #expect(answered.withLock { $0 } == 0)
            try proxy.set(.none)
            proxy.breakConnections()
            for reader in readers { reader.join() }
            #expect(answered.withLock { $0 } == 19)
        }
    }

    @Test("a sequential reader of a far store has many blocks under way", .timeLimit(.minutes(5)))
    func readahead() throws {
        let place = try MountPlace()
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port, fault: .delay(.milliseconds(100)))
        try place.shell("head -c 64M /dev/urandom > source/big")
        try place.pack(store: "redis://127.0.0.1:\(redis.port)")
        let options = try place.options(stores: ["redis://127.0.0.1:\(proxy.port)"])
        try place.mounted(place.path("tree.fl"), options) { open throws in
            #expect(try place.shell("cmp source/big target/big").status == 0)
            let statistics = open.fetcher.statistics
            #expect(statistics.blocks == 128)
            #expect(statistics.peakInFlight >= 32)
        }
    }

    @Test("a read in the middle of a large file asks for one block", .timeLimit(.minutes(5)))
    func middle() throws {
        let place = try MountPlace()
        let bytes = MountPlace.noise(8 << 20, seed: 10)
        try place.write(bytes, "big")
        try place.pack()
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            let file = try FileDescriptor(place.path("target/big"), O_RDONLY)
            // The kernel would read ahead of its own.
            posix_fadvise(file.number, 0, 0, POSIX_FADV_RANDOM)
            var piece = [UInt8](repeating: 0, count: 4096)
            #expect(pread(file.number, &piece, 4096, 5 << 20) == 4096)
            #expect(piece == Array(bytes[(5 << 20)..<((5 << 20) + 4096)]))
            #expect(open.fetcher.statistics.blocks == 1)
        }
    }

    @Test("a store that says nothing is an error by the deadline, and no more than that", .timeLimit(.minutes(5)))
    func deadline() throws {
        let place = try MountPlace()
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        try prepare(place, port: proxy.port)
        var options = try place.options()
        options.fetcher.timeout = .seconds(1)
        try place.mounted(place.path("tree.fl"), options) { _ throws in
            #expect(MountPlace.read(place.path("target/f0")) == .success(MountPlace.noise(5000, seed: 1)))
            try proxy.set(.stall(after: 0))
            #expect(MountPlace.read(place.path("target/f1")) == .failure(.timedOut))
            #expect(MountPlace.read(place.path("target/f0")) == .success(MountPlace.noise(5000, seed: 1)))
            try proxy.set(.none)
            proxy.breakConnections()
            // A failure that took long holds for a moment, so that the kernel's second try does not wait as long again.
            let isMended = eventually {
                MountPlace.read(place.path("target/f1")) == .success(MountPlace.noise(5000, seed: 2))
            }
            #expect(isMended)
        }
    }
}
