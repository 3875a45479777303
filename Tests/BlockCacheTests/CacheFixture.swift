import BlockCodec
import CLinux
import Foundation
import Glibc
import Support
import Synchronization

@testable import BlockCache

/// A content made of given bytes.
struct TestContent: BlockList {
    let bytes: [UInt8]
    let blockSize: Int
    var digestLength = BLAKE2b.Length.bytes32
    var holes: Set<Int> = []

    /// Bytes that differ from block to block and from seed to seed; zeros in the holes.
    init(
        seed: UInt64, size: Int, blockSize: Int = 4096, digestLength: BLAKE2b.Length = .bytes32, holes: Set<Int> = []
    ) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        var bytes = [UInt8](repeating: 0, count: size)
        for position in 0..<size where !holes.contains(position / blockSize) {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes[position] = UInt8(truncatingIfNeeded: state >> 33)
        }
        self.bytes = bytes
        self.blockSize = blockSize
        self.digestLength = digestLength
        self.holes = holes
    }

    var size: UInt64 { UInt64(bytes.count) }
    var count: Int { (bytes.count + blockSize - 1) / blockSize }

    subscript(index: Int) -> BlockReference? {
        guard !holes.contains(index) else { return nil }
        let key = BLAKE2b.hash(block(index), digestLength)
        return BlockReference(id: key, key: key, codec: .gcmZstd, plainLength: block(index).count)
    }

    func block(_ index: Int) -> [UInt8] { Array(bytes[index * blockSize..<min(bytes.count, (index + 1) * blockSize)]) }

    var id: Digest { ContentID.of(self) }
    var name: ObjectName { ObjectName(content: id, blockSize: blockSize) }
}

extension CachedObject {
    func store(_ content: TestContent, _ block: Int) -> Bool {
        content.block(block).withUnsafeBytes { store($0, block: block) }
    }

    /// Stores a block; tries for some seconds, since after it found no room the cache looks again only after a while.
    func storeInTime(_ content: TestContent, _ block: Int) -> Bool {
        let deadline = Deadline.after(.seconds(20))
        while !store(content, block) {
            if deadline.hasPassed { return false }
            usleep(10_000)
        }
        return true
    }

    func storeAll(_ content: TestContent) -> Bool {
        (0..<content.count).allSatisfy { content.holes.contains($0) || store(content, $0) }
    }

    func bytes(_ range: Range<Int>) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: range.count)
        let count = try bytes.withUnsafeMutableBytes { buffer in try read(into: buffer, at: UInt64(range.lowerBound)) }
        return Array(bytes.prefix(count))
    }
}

/// A folder for one test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String
    var cache: String { "\(path)/cache" }
    var folder: CacheFolder { CacheFolder(path: cache) }

    init(in parent: String = NSTemporaryDirectory()) {
        path = parent + "/flist-test-cache-" + UUID().uuidString
        mkdir(path, 0o700)
    }

    // Kept open to the end: a cache that is let go of closes, and its objects then store nothing.
    private let caches = Mutex<[BlockCache]>([])

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func open(
        quota: UInt64? = nil, freeShare: Double = 0, age: Duration = .seconds(1000), boot: UInt8 = 1
    ) throws -> BlockCache {
        let options = BlockCache.Options(quota: quota, freeShare: freeShare, maximumAge: age)
        let made = try BlockCache(folder: cache, options: options, boot: .test(boot))
        caches.withLock { $0.append(made) }
        return made
    }

    /// Mounts a file system of so many pages on the cache's folder; needs root.
    func withDisk(pages: Int, _ body: () throws -> Void) throws {
        mkdir(cache, 0o700)
        _ = try systemCall { mount("tmpfs", cache, "tmpfs", 0, "size=\(pages * 4096),mode=700") }
        defer {
            closeAll()
            // MNT_DETACH
            umount2(cache, 2)
        }
        try body()
    }

    /// Pages in use on the mounted file system, at one moment.
    var pagesInUse: Int {
        var disk = statvfs()
        statvfs(cache, &disk)
        return Int(disk.f_blocks - disk.f_bfree)
    }

    /// Ends all caches, as their processes' ends would.
    func closeAll() {
        let all = caches.withLock { caches in
            defer { caches = [] }
            return caches
        }
        for cache in all { cache.close() }
    }
}

extension BootID {
    static func test(_ number: UInt8) -> BootID { BootID(Array(repeating: number, count: 16)) ?? .none }
}

extension BlockCache {
    func object(_ content: TestContent) -> CachedObject { object(for: content.id, blocks: content) }
}

func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

func mode(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
}

/// Sets the time of last use, seconds ago.
func age(_ path: String, _ seconds: Int) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let times = [timespec(tv_sec: now.tv_sec - seconds, tv_nsec: 0), timespec(tv_sec: 0, tv_nsec: 0x3fff_fffe)]
    utimensat(AT_FDCWD, path, times, 0)
}

func flip(_ path: String, at offset: Int, bit: UInt8 = 1) throws {
    let file = try FileDescriptor(path, O_RDWR)
    var byte = [UInt8](repeating: 0, count: 1)
    _ = try byte.withUnsafeMutableBytes { try file.read(into: $0, at: UInt64(offset)) }
    byte[0] ^= bit
    try byte.withUnsafeBytes { try file.write($0, at: UInt64(offset)) }
}

func contents(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

/// Bytes on disk of all files below, as du counts them, but without the folders themselves.
func diskUsage(_ path: String) -> UInt64 {
    var total: UInt64 = 0
    var status = stat()
    guard let all = FileManager.default.enumerator(atPath: path) else { return 0 }
    for case let name as String in all
    where lstat("\(path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFREG {
        total += UInt64(status.st_blocks) * 512
    }
    return total
}

extension CachedObject {
    var hasFile: Bool {
        if case .some = completeFile() { return true }
        return false
    }
}

extension TestContent: CustomStringConvertible {
    var description: String { "content of \(bytes.count) bytes" }
}
