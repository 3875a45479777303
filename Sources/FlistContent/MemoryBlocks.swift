internal import BlockCodec
internal import Support
internal import Synchronization

/// The last blocks that the disk would not take: with a full cache disk, reads go on from here.
///
/// Thread-safe. Least recently used blocks go first.
final class MemoryBlocks: Sendable {
    struct Key: Hashable {
        let content: Digest
        let block: Int
    }

    private struct Entry {
        var buffer: BlockBuffer
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var bytes = 0
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Bytes held at most; a single block may be larger, or each read within it would fetch it anew.
    let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Bytes of memory held now.
    var bytes: Int { state.withLock { $0.bytes } }

    func block(_ key: Key) -> BlockBuffer? {
        state.withLock { state in
            guard let buffer = state.entries[key]?.buffer else { return nil }
            state.clock += 1
            state.entries[key]?.lastUse = state.clock
            return buffer
        }
    }

    func insert(_ buffer: BlockBuffer, for key: Key) {
        // Memory is given back outside the lock.
        let dropped = state.withLock { state -> [BlockBuffer] in
            state.clock += 1
            let replaced = state.entries.updateValue(Entry(buffer: buffer, lastUse: state.clock), forKey: key)
            state.bytes += buffer.memory.count - (replaced?.buffer.memory.count ?? 0)
            var dropped = replaced.map { [$0.buffer] } ?? []
            guard state.bytes > limit, state.entries.count > 1 else { return dropped }
            // An eighth more than needed, so that the sorting is paid for with small blocks too.
            for (key, entry) in state.entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }).dropLast()
            where state.bytes > limit - limit / 8 {
                state.entries[key] = nil
                state.bytes -= entry.buffer.memory.count
                dropped.append(entry.buffer)
            }
            return dropped
        }
        withExtendedLifetime(dropped) {}
    }
}
