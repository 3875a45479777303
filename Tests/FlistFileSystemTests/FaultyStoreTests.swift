import BlockStore
import FlistContent
import Foundation
import Glibc
import Support
import TestSupport
import Testing

/// The table of faults once more, through a mount.
@Suite(
    "Mounts whose stores misbehave",
    .enabled(if: Machine.mounts && NginxServer.isInstalled, "needs root, /dev/fuse and nginx"),
    .timeLimit(.minutes(5)))
struct FaultyStoreTests {
    private static func content(_ name: String) -> [UInt8] {
        MountPlace.noise(6000, seed: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    }

    /// Against the order of the directory: a reader who keeps to that is run ahead of, while the store is still well.
    private static func faults(_ kind: StoreKind) -> [StoreFault] {
        StoreFault.allCases.filter { $0.isPossible(with: kind) && $0.proxyFault(kind, other: []) != nil }
            .sorted { $0.rawValue > $1.rawValue }
    }

    /// A tree with a file for each fault, `cached`, and empty ones. Its blocks are at the server only.
    private func place(_ server: FaultyServer) throws -> MountPlace {
        let place = try MountPlace()
        for name in ["cached"] + Self.faults(server.kind).map(\.rawValue) { try place.write(Self.content(name), name) }
        for number in 0..<2000 { try place.write([], "empty\(number)") }
        try place.pack()
        for folder in try FileManager.default.contentsOfDirectory(atPath: place.path("blocks")) {
            for name in try FileManager.default.contentsOfDirectory(atPath: place.path("blocks/\(folder)")) {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: place.path("blocks/\(folder)/\(name)")))
                try server.put(try #require(Hex.decode(name)), name, Array(bytes))
            }
        }
        try FileManager.default.removeItem(atPath: place.path("blocks"))
        return place
    }

    private func block(_ name: String, _ open: OpenFlist) throws -> Digest {
        let inode = try #require(open.index.resolve(path: Array(name.utf8)))
        return try #require(open.index.blocks(of: inode)?[0]).id
    }

    @Test("give the right errno, go on with everything else, and mend themselves", arguments: StoreKind.allCases)
    func table(kind: StoreKind) throws {
        let server = try FaultyServer(kind)
        let place = try place(server)
        let proxy = try FaultProxy(to: server.port)
        let lines = LogLines()
        var options = try place.options(stores: [server.address(proxy.port)])
        options.fetcher.timeout = .milliseconds(1500)
        options.logger = lines.logger
        try place.mounted(place.path("tree.fl"), options) { open throws in
            #expect(MountPlace.read(place.path("target/cached")) == .success(Self.content("cached")))
            var looked = 0
            for fault in Self.faults(kind) {
                let name = Comment(rawValue: "\(kind) \(fault)")
                try proxy.set(try #require(fault.proxyFault(kind, other: Self.content("other"))))
                proxy.breakConnections()
                let path = place.path("target/\(fault)")
                let parked = open.content.statistics.parkedReads
                let result = Monitor<Result<[UInt8], Errno>?>(nil)
                let reader = try WorkerThread("reader") {
                    let outcome = MountPlace.read(path)
                    result.withLock { $0 = outcome }
                }
                if fault.isWaitedFor(of: kind) {
                    #expect(eventually { open.content.statistics.parkedReads > parked }, name)
                    // While it waits: names that the kernel has not asked for, and bytes of the cache.
                    var done = 0
                    while result.withLock({ $0 == nil }), done < 10 {
                        var status = stat()
                        #expect(stat(place.path("target/empty\(looked % 2000)"), &status) == 0)
                        #expect(MountPlace.read(place.path("target/cached")) == .success(Self.content("cached")))
                        looked += 1
                        done += 1
                    }
                    #expect(done == 10, name)
                }
                reader.join()
                switch fault.outcome(of: kind) {
                case .bytes:
                    let isRight = result.withLock { $0 } == .success(Self.content(fault.rawValue))
                    #expect(isRight, name)
                case .failure(let errno, let text, _):
                    let outcome = result.withLock { $0 }?.map(\.count)
                    #expect(outcome == .failure(errno), name)
                    let block = try block(fault.rawValue, open)
                    let line = lines.all.last { $0.contains("\(block)") } ?? ""
                    #expect(line.contains("path=/\(fault)"), name)
                    #expect(line.contains("\(open.router.stores[0].address): \(text)"), name)
                }
                try proxy.set(.none)
                proxy.breakConnections()
                // A failure that took long holds for a moment.
                let isMended = eventually { MountPlace.read(path) == .success(Self.content(fault.rawValue)) }
                #expect(isMended, name)
            }
        }
    }

    @Test("mount, list and serve what is cached while no store can be reached", arguments: StoreKind.allCases)
    func away(kind: StoreKind) throws {
        let server = try FaultyServer(kind)
        let place = try place(server)
        let proxy = try FaultProxy(to: server.port)
        var options = try place.options(stores: [server.address(proxy.port)])
        options.fetcher.timeout = .seconds(1)
        try place.mounted(place.path("tree.fl"), options) { _ throws in
            #expect(MountPlace.read(place.path("target/cached")) == .success(Self.content("cached")))
        }
        try proxy.set(.refuse)
        try place.mounted(place.path("tree.fl"), options) { open throws in
            #expect(
                try place.shell("ls target | wc -l; ls -l target > /dev/null").output
                    == "\(2001 + Self.faults(kind).count)\n")
            #expect(MountPlace.read(place.path("target/cached")) == .success(Self.content("cached")))
            #expect(open.content.statistics.parkedReads == 0)
            #expect(MountPlace.read(place.path("target/refuse")) == .failure(.hostUnreachable))
            try proxy.set(.none)
            let isMended = eventually {
                MountPlace.read(place.path("target/refuse")) == .success(Self.content("refuse"))
            }
            #expect(isMended)
        }
    }
}
