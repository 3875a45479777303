internal import Redis
internal import Support
internal import Synchronization

/// Blocks in 0-db, redis or ardb, under their raw ids.
///
/// Reads share a few connections, each with many requests under way, served by the process's network thread. Writes
/// and `contains` block on connections of their own, one for each thread that is at it.
final class ZDBStore: BlockStore {
    /// How long connecting, and then every reply, may take for writes.
    private static let timeout = Duration.seconds(30)
    /// Idle connections for writing that are kept.
    private static let idleLinks = 16
    /// EXISTS sent before their replies are taken.
    private static let batch = 256

    private struct Links {
        var idle: [StoreLink] = []
        var isClosed = false
    }

    let address: String
    private let url: StoreURL
    private let group: RedisConnectionGroup
    private let links = Mutex(Links())

    init(_ url: StoreURL) {
        self.url = url
        address = url.description
        group = RedisConnectionGroup(url, .shared)
    }

    func get(_ requests: [StoreRequest]) {
        let group = group
        do throws(FlistError) {
            try NetworkLoop.shared.post { group.enqueue(requests) }
        } catch {
            for request in requests { request.complete(.failure(.unreachable(error.description))) }
        }
    }

    func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError) { try put([StoredBlock(id, stored)]) }

    func put(_ blocks: [StoredBlock]) throws(StoreError) {
        try withLink { link throws(StoreError) in
            // Asking first spares the upload of what is there: images share most of their blocks.
            let isThere = try Self.contains(blocks.map(\.id), link)
            let missing = zip(blocks, isThere).compactMap { $1 ? nil : $0 }
            if !missing.isEmpty { try Self.set(missing, link) }
        }
    }

    func contains(_ ids: [Digest]) throws(StoreError) -> [Bool] {
        try withLink { link throws(StoreError) in try Self.contains(ids, link) }
    }

    private static func contains(_ ids: [Digest], _ link: StoreLink) throws(StoreError) -> [Bool] {
        var found: [Bool] = []
        for start in stride(from: 0, to: ids.count, by: batch) {
            let replies = try link.pipeline(
                ids[start..<min(ids.count, start + batch)].map { [[UInt8]("EXISTS".utf8), $0.bytes] })
            for reply in replies {
                guard case .integer(let count) = reply else {
                    throw .protocolViolation("no number in reply to EXISTS")
                }
                found.append(count > 0)
            }
        }
        return found
    }

    /// Sends all, then takes the replies, which are a few bytes each.
    private static func set(_ blocks: [StoredBlock], _ link: StoreLink) throws(StoreError) {
        let name = [UInt8]("SET".utf8)
        let ids = blocks.map(\.id.bytes)
        let keys = ids.flatMap(\.self)
        let result = name.withUnsafeBytes { name in
            keys.withUnsafeBytes { keys -> Result<Void, StoreError> in
                var start = 0
                let commands = zip(blocks, ids).map { block, id -> [UnsafeRawBufferPointer] in
                    defer { start += id.count }
                    return [name, UnsafeRawBufferPointer(rebasing: keys[start..<start + id.count]), block.bytes]
                }
                do throws(StoreError) {
                    _ = try link.commands(commands)
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
        }
        try result.get()
    }

    func close() {
        let group = group
        try? NetworkLoop.shared.post { group.closeAll() }
        links.withLock { links in
            links.isClosed = true
            links.idle = []
        }
    }

    deinit { close() }

    /// Lends a connection. One that was idle may have been closed by the server: then once more with a fresh one.
    private func withLink<Value>(_ body: (StoreLink) throws(StoreError) -> Value) throws(StoreError) -> Value {
        if let idle = links.withLock({ $0.idle.popLast() }) {
            do throws(StoreError) {
                let value = try body(idle)
                giveBack(idle)
                return value
            } catch {
                guard idle.isBroken else {
                    giveBack(idle)
                    throw error
                }
            }
        }
        let link = try StoreLink(url, timeout: Self.timeout)
        defer { if !link.isBroken { giveBack(link) } }
        return try body(link)
    }

    private func giveBack(_ link: StoreLink) {
        links.withLock { links in
            if !links.isClosed, links.idle.count < Self.idleLinks { links.idle.append(link) }
        }
    }
}
