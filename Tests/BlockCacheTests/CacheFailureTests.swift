import CLinux
import Foundation
import Glibc
import Support
import Testing

@testable import BlockCache

/// Disks that are full, read-only or gone: tiny file systems in memory, so this needs root.
@Suite("Cache on a failing disk", .serialized, .enabled(if: geteuid() == 0, "needs root to mount"))
struct CacheFailureTests {
    let folder = TemporaryFolder()

    @Test(
        "a folder that holds anything else is refused and left alone",
        arguments: ["notes", "boot/vmlinuz", "objects2/ab/x"])
    func notOurs(file: String) throws {
        let path = "\(folder.cache)/\(file)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        chmod(folder.cache, 0o700)
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let error = #expect(throws: FlistError.self) { try folder.open() }
        #expect(error?.message.hasPrefix("\(folder.cache) is no cache of flist, and not empty; ") == true)
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder.cache)
        #expect(left.count == file.split(separator: "/").count)
        #expect(!BlockCache.isThere(folder.cache))
    }

    @Test("a cache goes on beside a file that somebody puts into it, and begins beside lost+found")
    func beside() throws {
        #expect(mkdir(folder.cache, 0o700) == 0 && mkdir("\(folder.cache)/lost+found", 0o700) == 0)
        _ = try folder.open()
        #expect(BlockCache.isThere(folder.cache))
        #expect(FileManager.default.createFile(atPath: "\(folder.cache)/notes", contents: nil))
        _ = try folder.open()
        #expect(exists("\(folder.cache)/notes"))
    }

    @Test("serves what it has and stores no more when the disk is full", .timeLimit(.minutes(5)))
    func full() throws {
        try folder.withDisk(pages: 40) {
            let cache = try folder.open()
            var (held, refused): ([Int: CachedObject], Int) = ([:], 0)
            let contents = (0..<60).map { TestContent(seed: UInt64($0), size: 4096) }
            for (number, content) in contents.enumerated() {
                let object = cache.object(content)
                if object.store(content, 0) { held[number] = object } else { refused += 1 }
            }
            #expect(held.count > 20 && refused > 10)
            for (number, object) in held { #expect(try object.bytes(0..<4096) == contents[number].bytes) }
            held = [:]
            let late = TestContent(seed: 99, size: 4096)
            #expect(cache.object(late).storeInTime(late, 0))
            #expect(cache.statistics().evictions > 0)
            cache.close()
        }
    }

    @Test("keeps the blocks of a partial content that were stored before the disk was full", .timeLimit(.minutes(5)))
    func fullWhilePartial() throws {
        try folder.withDisk(pages: 40) {
            let cache = try folder.open()
            let content = TestContent(seed: 1, size: 100 * 4096)
            let object = cache.object(content)
            let held = (0..<100).filter { object.store(content, $0) }
            #expect(held.count > 20 && held.count < 40)
            for block in 0..<100 {
                #expect(object.state(ofBlock: block) == (held.contains(block) ? .present : .absent))
                guard held.contains(block) else { continue }
                #expect(try object.bytes(block * 4096..<(block + 1) * 4096) == content.block(block))
            }
            cache.close()
        }
    }

    @Test("a disk filled by others, even before the first start, is no error", .timeLimit(.minutes(5)))
    func filledByOthers() throws {
        try folder.withDisk(pages: 4) {
            #expect(mkdir("\(folder.cache)/lost+found", 0o700) == 0)
            let filler = try FileDescriptor("\(folder.cache)/lost+found/filler", O_RDWR | O_CREAT, mode: 0o600)
            let page = [UInt8](repeating: 1, count: 4096)
            while (try? page.withUnsafeBytes { try filler.write($0, at: UInt64(lseek(filler.number, 0, SEEK_END))) })
                != nil
            {}
            let cache = try folder.open()
            for size in [100, 9000] {
                let content = TestContent(seed: 1, size: size)
                let object = cache.object(content)
                #expect(!object.store(content, 0))
                #expect(!object.holds(0..<1))
            }
            ftruncate(filler.number, 0)
            let content = TestContent(seed: 2, size: 100)
            #expect(cache.object(content).storeInTime(content, 0))
            cache.close()
        }
    }

    @Test("serves what it has from a read-only disk", .timeLimit(.minutes(5)))
    func readOnly() throws {
        try folder.withDisk(pages: 100) {
            let (whole, part) = (TestContent(seed: 1, size: 5000), TestContent(seed: 2, size: 100))
            do {
                let cache = try folder.open(quota: 1 << 20)
                #expect(cache.object(whole).storeAll(whole))
            }
            folder.closeAll()
            try #require(mount("tmpfs", folder.cache, "tmpfs", 32 | 1, nil) == 0)
            let cache = try folder.open(quota: 1 << 20)
            let object = cache.object(whole)
            #expect(object.isComplete)
            #expect(try object.bytes(0..<5000) == whole.bytes)
            #expect(!cache.object(part).store(part, 0))
            #expect(!cache.object(TestContent(seed: 3, size: 9000)).store(TestContent(seed: 3, size: 9000), 1))
            #expect(cache.check().damaged == [])
            cache.close()
        }
    }

    @Test("trusts nothing fresh of another boot on a read-only disk", .timeLimit(.minutes(5)))
    func readOnlyAfterBoot() throws {
        try folder.withDisk(pages: 100) {
            let content = TestContent(seed: 1, size: 100)
            do {
                let cache = try folder.open(boot: 1)
                #expect(cache.object(content).storeAll(content))
            }
            folder.closeAll()
            try #require(mount("tmpfs", folder.cache, "tmpfs", 32 | 1, nil) == 0)
            let cache = try folder.open(boot: 2)
            #expect(!cache.object(content).isComplete)
            cache.close()
        }
    }

    @Test("refuses a folder that others may write in, or that is none")
    func refused() throws {
        #expect(throws: FlistError.self) { try BlockCache(folder: "/proc/nowhere/cache") }
        mkdir(folder.cache, 0o700)
        chmod(folder.cache, 0o777)
        let error = #expect(throws: FlistError.self) { try folder.open() }
        #expect(error?.code == .permission)
        chmod(folder.cache, 0o755)
        _ = try folder.open()
        _ = try FileDescriptor("\(folder.path)/file", O_RDWR | O_CREAT, mode: 0o600)
        #expect(throws: FlistError.self) { try BlockCache(folder: "\(folder.path)/file") }
    }
}
