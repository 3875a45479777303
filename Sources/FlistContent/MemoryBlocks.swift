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
    /// Bytes held at most.
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func block(_ key: Key) -> BlockBuffer? {
        state.withLock { state in
            guard let buffer = state.entries[key]?.buffer else { return nil }
            state.clock += 1
            state.entries[key]?.lastUse = state.clock
            return buffer
        }
    }

    func insert(_ buffer: BlockBuffer, for key: Key) {
        state.withLock { state in
            state.clock += 1
            let replaced = state.entries.updateValue(Entry(buffer: buffer, lastUse: state.clock), forKey: key)
            state.bytes += buffer.count - (replaced?.buffer.count ?? 0)
            // Few entries, since blocks are large; a scan is cheaper than a list kept in order.
            while state.bytes > limit, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.entries[oldest.key] = nil
                state.bytes -= oldest.value.buffer.count
            }
        }
    }
}
