import BlockStore
import FlistContent
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@Suite("Readers that wait", .serialized, .enabled(if: Machine.mounts, "needs root and /dev/fuse"))
struct WaitingReaderTests {
    /// How a file is read.
    enum Way: String, CaseIterable {
        case cat = "exec cat $0"
        /// Around the page cache.
        case direct =
            "exec python3 -c 'import mmap, os, signal, sys; signal.signal(2, signal.SIG_DFL); os.readv(os.open(sys.argv[1], os.O_DIRECT), [mmap.mmap(-1, 4096)])' $0"
        case map =
            "exec python3 -c 'import mmap, os, signal, sys; signal.signal(2, signal.SIG_DFL); mmap.mmap(os.open(sys.argv[1], 0), 0, prot=1)[0]' $0"
        case splice =
            "exec python3 -c 'import os, signal, sys; signal.signal(2, signal.SIG_DFL); os.splice(os.open(sys.argv[1], 0), os.pipe()[1], 4096)' $0"
        /// What readahead asked for before.
        case ahead =
            "exec python3 -c 'import os, signal, sys; signal.signal(2, signal.SIG_DFL); f = os.open(sys.argv[1], 0); os.posix_fadvise(f, 0, 0, os.POSIX_FADV_WILLNEED); os.read(f, 9)' $0"
        case execute = "exec $0"
    }

    /// A process of its own that reads a file.
    private final class Reader {
        private let process: ChildProcess

        init(of path: String, _ way: Way = .cat) throws {
            process = try ChildProcess(["bash", "-c", way.rawValue, path])
        }

        var number: pid_t { process.pid }
        var hasEnded: Bool { !process.isRunning }

        /// What ended it; nil when it ended by itself. Waits.
        func signal() -> Int32? {
            guard case .signalled(let number) = process.wait() else { return nil }
            return number
        }
    }

    /// Interrupts a reader once its read waits for the store.
    private func interruptReader(
        of path: String, _ open: OpenFlist, _ proxy: FaultProxy, _ way: Way = .cat, signal: Int32 = SIGINT
    ) throws {
        let content = open.content
        let before = content.statistics.parkedReads
        let reader = try Reader(of: path, way)
        #expect(eventually { content.statistics.parkedReads > before })
        kill(reader.number, signal)
        let hasEnded = eventually { reader.hasEnded }
        #expect(hasEnded)
        // Or the test would not end either.
        if !hasEnded { try proxy.set(.none) }
        #expect(reader.signal() == signal)
    }

    @Test("end at SIGINT, and the rest goes on", .timeLimit(.minutes(5)))
    func interrupted() throws {
        let place = try MountPlace()
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        let small = MountPlace.noise(3000, seed: 1)
        let large = MountPlace.noise(2 << 20, seed: 2)
        try place.write(small, "small")
        try place.write(large, "large")
        try place.pack(store: "redis://127.0.0.1:\(proxy.port)")
        try place.mounted(place.path("tree.fl"), place.options()) { open throws in
            try proxy.set(.stall(after: 0))
            try interruptReader(of: place.path("target/small"), open, proxy)
            try interruptReader(of: place.path("target/large"), open, proxy)
            try proxy.set(.none)
            proxy.breakConnections()
            #expect(MountPlace.read(place.path("target/small")) == .success(small))
            #expect(MountPlace.read(place.path("target/large")) == .success(large))
        }
    }

    @Test("end at a signal however they read", .timeLimit(.minutes(5)), arguments: Way.allCases, [false, true])
    func everyWay(way: Way, isWritable: Bool) throws {
        let place = try MountPlace()
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        // Not SIGTERM, which the test's own process may have blocked for its children.
        let signals = [SIGINT, SIGKILL]
        for name in signals + [0] { try place.shell("cp /bin/true source/p\(name); printf \(name) >> source/p\(name)") }
        try place.pack(store: "redis://127.0.0.1:\(proxy.port)")
        let writable = isWritable ? place.path("changes") : nil
        try place.mounted(place.path("tree.fl"), place.options(), writable: writable) { open throws in
            try proxy.set(.stall(after: 0))
            // Another waits for the same block, and goes on waiting.
            let path = place.path("target/p0")
            let others = Monitor<Result<[UInt8], Errno>?>(nil)
            let content = open.content
            let other = try WorkerThread("reader") {
                let result = MountPlace.read(path)
                others.withLock { $0 = result }
            }
            #expect(eventually { content.statistics.parkedReads > 0 })
            for signal in signals {
                // What waits in the page cache for the other's read would ask for nothing itself.
                let name = way == .direct && signal == SIGINT ? "p0" : "p\(signal)"
                try interruptReader(of: place.path("target/\(name)"), open, proxy, way, signal: signal)
            }
            let isWaiting = others.withLock { $0 == nil }
            #expect(isWaiting)
            try proxy.set(.none)
            proxy.breakConnections()
            other.join()
            let isRight = others.withLock { $0 } == MountPlace.read("\(place.source)/p0")
            #expect(isRight)
            #expect(try place.shell("diff -r source target").status == 0)
        }
    }

    @Test("for a store that says nothing do not hold up those of another", .timeLimit(.minutes(5)))
    func otherStore() throws {
        let place = try MountPlace()
        let redis = try RedisServer()
        let proxy = try FaultProxy(to: redis.port)
        let contents = (0..<40).map { MountPlace.noise(2000, seed: UInt64($0 + 1)) }
        for (number, bytes) in contents.enumerated() { try place.write(bytes, "f\(number)") }
        let stores = ["00-7f=redis://127.0.0.1:\(proxy.port)", "80-ff=dir://\(place.path("blocks"))"]
        try place.pack(stores: stores)
        var options = try place.options()
        options.fetcher.timeout = .seconds(2)
        try place.mounted(place.path("tree.fl"), options) { open throws in
            let isFar = try (0..<40).map { number in
                let inode = try #require(open.index.resolve(path: Array("f\(number)".utf8)))
                return try #require(open.index.blocks(of: inode)?[0]?.id.bytes.first) < 0x80
            }
            try #require(Set(isFar).count == 2)
            try proxy.set(.stall(after: 0))
            let failures = Monitor<[Result<[UInt8], Errno>]>([])
            let far = (0..<40).filter { isFar[$0] }
            let readers = try far.map { number in
                let path = place.path("target/f\(number)")
                return try WorkerThread("reader") {
                    let result = MountPlace.read(path)
                    failures.withLock { $0.append(result) }
                }
            }
            #expect(eventually { open.content.statistics.parkedReads >= UInt64(far.count) })
            for number in 0..<40 where !isFar[number] {
                #expect(MountPlace.read(place.path("target/f\(number)")) == .success(contents[number]))
            }
            #expect(failures.withLock { $0.isEmpty })
            for reader in readers { reader.join() }
            #expect(failures.withLock { $0 } == far.map { _ in .failure(.timedOut) })
            try proxy.set(.none)
            proxy.breakConnections()
            // A failure that took long holds for a moment, so that the kernel's second try does not wait as long again.
            for number in far {
                let path = place.path("target/f\(number)")
                let isMended = eventually { MountPlace.read(path) == .success(contents[number]) }
                #expect(isMended)
            }
        }
    }
}
