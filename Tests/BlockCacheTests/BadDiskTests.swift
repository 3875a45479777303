import CLinux
import Foundation
import Glibc
import Support
import TestSupport
import Testing

@testable import BlockCache

/// Real file systems on loop devices: what a file system in memory cannot show.
@Suite("Cache on a disk that goes bad", .serialized, .enabled(if: geteuid() == 0, "needs root to mount"))
struct BadDiskTests {
    let folder = TemporaryFolder(in: "/var/tmp")

    /// Runs `body` with an ext4 of 16 MiB on the cache's folder.
    private func withDisk(inodes: Int, _ body: (_ image: String) throws -> Void) throws {
        try withDisk("truncate -s 16M image && mke2fs -q -t ext4 -N \(inodes) -m 0 image", "loop,errors=continue", body)
    }

    private func withDisk(_ make: String, _ options: String, _ body: (_ image: String) throws -> Void) throws {
        let image = "\(folder.path)/image"
        mkdir(folder.cache, 0o700)
        try shell("cd \(folder.path) && \(make) && mount -o \(options) image cache && chmod 700 cache")
        defer {
            folder.closeAll()
            _ = try? shell("umount -l \(folder.cache)")
        }
        try body(image)
    }

    private func shell(_ command: String) throws {
        let outcome = try ChildProcess.run(["bash", "-c", command])
        guard outcome.status == 0 else { throw FlistError(.io, "\(command): \(outcome.errors)") }
    }

    @Test("a disk without inodes: what is there is served, what is old makes room", .timeLimit(.minutes(5)))
    func inodes() throws {
        try withDisk(inodes: 1024) { _ in
            let cache = try folder.open()
            var (held, refused): ([Int: CachedObject], Int) = ([:], 0)
            let contents = (0..<1100).map { TestContent(seed: UInt64($0), size: 200) }
            for (number, content) in contents.enumerated() {
                let object = cache.object(content)
                if object.store(content, 0) { held[number] = object } else { refused += 1 }
            }
            #expect(held.count > 800 && refused > 50)
            #expect(cache.statistics().failures > 0)
            for (number, object) in held { #expect(try object.bytes(0..<200) == contents[number].bytes) }
            held = [:]
            for seed in 2000..<2010 {
                let late = TestContent(seed: UInt64(seed), size: seed == 2005 ? 9000 : 200)
                let object = cache.object(late)
                for block in 0..<late.count { #expect(object.storeInTime(late, block)) }
                #expect(try object.bytes(0..<late.bytes.count) == late.bytes)
            }
            #expect(cache.statistics().evictions > 0)
        }
    }

    @Test("a quota of the file system is as a full disk", .timeLimit(.minutes(5)))
    func fileSystemQuota() throws {
        try withDisk("truncate -s 128M image && mkfs.btrfs -q image", "loop") { _ in
            try shell("btrfs quota enable \(folder.cache) && btrfs qgroup limit 8M \(folder.cache)")
            let cache = try folder.open()
            var (held, refused): ([Int: CachedObject], Int) = ([:], 0)
            let contents = (0..<120).map { TestContent(seed: UInt64($0), size: 100_000) }
            for (number, content) in contents.enumerated() {
                let object = cache.object(content)
                if object.storeAll(content) { held[number] = object } else { refused += 1 }
            }
            #expect(held.count > 20 && refused > 20)
            #expect(cache.statistics().failures > 0)
            for (number, object) in held { #expect(try object.bytes(0..<100_000) == contents[number].bytes) }
            held = [:]
            for seed in 0..<40 {
                let late = TestContent(seed: UInt64(1000 + seed), size: 100_000)
                let object = cache.object(late)
                for block in 0..<late.count { #expect(object.storeInTime(late, block)) }
                #expect(try object.bytes(0..<100_000) == late.bytes)
            }
        }
    }

    @Test(
        "sectors that cannot be read: those contents are fetched again, all others are served", .timeLimit(.minutes(5)))
    func unreadable() throws {
        try withDisk(inodes: 1024) { image in
            let contents = (0..<40).map { TestContent(seed: UInt64($0), size: 100_000) }
            do {
                let cache = try folder.open()
                for content in contents { #expect(cache.object(content).storeAll(content)) }
                cache.core.durability.flush()
                #expect(eventually { cache.statistics().fresh == 0 })
            }
            folder.closeAll()
            let cache = try folder.open()
            let objects = contents.map { cache.object($0) }
            // The disk ends early, and earlier: what lies behind gives EIO.
            var (good, lost) = (0, 0)
            for size in stride(from: 15.5, to: 0, by: -0.5) where lost == 0 {
                try shell("sync; truncate -s \(Int(size * 1024))K \(image); echo 1 > /proc/sys/vm/drop_caches")
                good = 0
                for (content, object) in zip(contents, objects) {
                    #expect(object.isComplete)
                    do {
                        #expect(try object.bytes(0..<100_000) == content.bytes)
                        good += 1
                    } catch {
                        #expect(!object.isComplete && !object.holds(0..<1))
                        lost += 1
                    }
                }
            }
            #expect(good > 0 && lost > 0)
            #expect(cache.statistics().damaged == lost)
            // Storing again neither hangs nor answers with anything but the right bytes.
            for (content, object) in zip(contents, objects) where object.storeAll(content) {
                if let bytes = try? object.bytes(0..<100_000) { #expect(bytes == content.bytes) }
            }
        }
    }
}
