import BlockCache
import BlockCodec
import BlockStore
import FlistContent
import FlistImage
import Foundation
import Logging
import Support
import Synchronization
import TestSupport

/// A folder that goes with this object.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/flist-test-content-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A tree of one directory whose files have random bytes, and its blocks as stores hold them.
final class TestFlist: Sendable {
    static let blockSize = 4096

    let index: TreeIndex
    /// The files' bytes, in the order given.
    let contents: [[UInt8]]
    let stored: [Digest: [UInt8]]

    /// - Parameters:
    ///   - sizes: of the files.
    ///   - holes: blocks of every file that are zeros.
    convenience init(
        _ sizes: Int..., holes: Set<Int> = [], info change: (inout TreeIndexInfo) -> Void = { _ in }
    ) throws {
        try self.init(sizes: sizes, holes: holes, info: change)
    }

    init(sizes: [Int], holes: Set<Int> = [], info change: (inout TreeIndexInfo) -> Void = { _ in }) throws {
        var info = TreeIndexInfo(flistHash: .zero, kind: .zstd, codec: .gcmZstd, blockSize: Self.blockSize)
        change(&info)
        var builder = TreeIndexBuilder(info: info)
        try builder.add(TreeEntry(id: 1, parent: 1, name: [], type: .directory, permissions: 0o755))
        var (contents, stored): ([[UInt8]], [Digest: [UInt8]]) = ([], [:])
        var encoder = BlockEncoder(codec: .gcmZstd)
        for (number, size) in sizes.enumerated() {
            var content = [UInt8](repeating: 0, count: size)
            let id = UInt64(number + 2)
            var entry = TreeEntry(
                id: id, parent: 1, name: Array("file\(number)".utf8), type: .regular, permissions: 0o644)
            entry.size = UInt64(size)
            try builder.add(entry)
            for (block, start) in stride(from: 0, to: size, by: Self.blockSize).enumerated() {
                let end = min(size, start + Self.blockSize)
                if holes.contains(block) {
                    try builder.addBlock(to: id, blockID: nil, key: nil)
                    continue
                }
                for position in start..<end { content[position] = UInt8.random(in: 0...255) }
                let encoded = try content[start..<end].withUnsafeBytes { try encoder.encode($0) }
                stored[encoded.reference.id] = Array(encoded.stored)
                try builder.addBlock(to: id, blockID: encoded.reference.id, key: encoded.reference.key)
            }
            contents.append(content)
        }
        self.index = try builder.finish()
        self.contents = contents
        self.stored = stored
    }

    func inode(_ file: Int) throws -> InodeNumber {
        guard let inode = index.resolve(path: Array("file\(file)".utf8)) else {
            throw FlistError(.notFound, "file\(file)")
        }
        return inode
    }

    func id(_ block: Int, of file: Int = 0) throws -> Digest {
        guard let id = index.blocks(of: try inode(file))?[block]?.id else { throw FlistError(.notFound, "a hole") }
        return id
    }

    /// Writes all blocks to a folder store.
    func upload(to folder: String) throws {
        let store = try StoreURL(parsing: "dir://\(folder)").open()
        for (id, bytes) in stored { try bytes.withUnsafeBytes { try store.put(id, $0) } }
        store.close()
    }
}

/// A store in memory that counts what it is asked for, and answers only while it is open.
final class GateStore: BlockStore {
    private struct State {
        var isOpen: Bool
        var waiting: [StoreRequest] = []
        var asked: [Digest] = []
    }

    let address = "gate"
    private let blocks: [Digest: [UInt8]]
    private let state: Monitor<State>

    init(_ flist: TestFlist, isOpen: Bool = true) {
        blocks = flist.stored
        state = Monitor(State(isOpen: isOpen))
    }

    var asked: [Digest] { state.withLock { $0.asked } }

    func wait(forRequests count: Int) -> Bool {
        state.wait(until: .after(.seconds(20))) { $0.asked.count >= count ? true : nil } ?? false
    }

    func open() {
        let waiting = state.withLock { state -> [StoreRequest] in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        waiting.forEach(answer)
    }

    func get(_ requests: [StoreRequest]) {
        let isOpen = state.withLock { state in
            state.asked += requests.map(\.id)
            if !state.isOpen { state.waiting += requests }
            return state.isOpen
        }
        state.broadcast()
        if isOpen { requests.forEach(answer) }
    }

    private func answer(_ request: StoreRequest) {
        guard let bytes = blocks[request.id] else { return request.complete(.failure(.missing)) }
        let buffer = BlockBufferPool.shared.buffer(capacity: bytes.count)
        buffer.memory.copyBytes(from: bytes)
        buffer.count = bytes.count
        request.complete(.success(buffer))
    }

    func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError) {}
    func contains(_ ids: [Digest]) throws(StoreError) -> [Bool] { ids.map { blocks[$0] != nil } }
    func close() {}
}

/// A reader of a flist with its fetcher, and what it logs.
final class ReaderFixture: Sendable {
    let flist: TestFlist
    let reader: ContentReader
    let fetcher: BlockFetcher
    let router: BlockRouter
    let cache: BlockCache?
    let lines = LogLines()

    convenience init(
        _ flist: TestFlist, from store: any BlockStore, cache folder: String? = nil, memory: Int = 32 << 20,
        options: FetcherOptions = FetcherOptions()
    ) throws {
        let table = RouteTable(routes: [try StoreRoute(parsing: "zdb://gate")])
        try self.init(
            flist, router: BlockRouter(table) { (_: StoreURL) throws(FlistError) in store }, cache: folder,
            memory: memory, options: options)
    }

    init(
        _ flist: TestFlist, router: BlockRouter, cache folder: String?, memory: Int = 32 << 20,
        options: FetcherOptions = FetcherOptions()
    ) throws {
        fetcher = BlockFetcher(options: options)
        self.flist = flist
        self.router = router
        cache = try folder.map { try BlockCache(folder: $0, options: .init(freeShare: 0)) }
        reader = ContentReader(
            index: flist.index, cache: cache, fetcher: fetcher, router: router, logger: lines.logger,
            memoryLimit: memory)
    }

    deinit {
        fetcher.shutdown()
        cache?.close()
    }

    func file(_ number: Int = 0) throws -> ContentFile {
        guard let file = reader.file(try flist.inode(number)) else { throw FlistError(.notFound, "file\(number)") }
        return file
    }

    /// Reads as the file system does, and waits.
    func read(_ range: Range<Int>, of number: Int = 0) throws -> [UInt8] {
        let file = try file(number)
        let wanted = file.clamp(offset: UInt64(range.lowerBound), count: range.count)
        var buffer = [UInt8](repeating: 0xee, count: range.count)
        if let count = buffer.withUnsafeMutableBytes({ file.readNow(wanted, into: $0) }) {
            return Array(buffer[..<count])
        }
        let pending = PendingRead()
        file.read(wanted) { pending.end($0) }
        return try pending.bytes()
    }

    /// Waits until nothing is under way, readahead included.
    func settle() {
        let limit = Deadline.after(.seconds(20))
        while fetcher.statistics.inFlight > 0, !limit.hasPassed { usleep(1000) }
        // The cache takes a block after its readers were told.
        usleep(20_000)
    }
}

/// A read that ends on another thread.
final class PendingRead: Sendable {
    private let outcome = Monitor<[Result<[UInt8], FetchError>]>([])

    func end(_ result: Result<UnsafeRawBufferPointer, FetchError>) {
        let copy = result.map { Array($0) }
        outcome.withLock { $0.append(copy) }
        outcome.broadcast()
    }

    /// How often it has ended.
    var ends: Int { outcome.withLock { $0.count } }

    func bytes() throws -> [UInt8] {
        guard let result = outcome.wait(until: .after(.seconds(30)), for: { $0.first }) else {
            throw FlistError(.timedOut, "a read has not ended")
        }
        return try result.get()
    }
}
