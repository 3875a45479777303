internal import Support
internal import Synchronization

/// The distinct blocks met so far, by the hash of their plain bytes. Thread-safe.
final class BlockTable: Sendable {
    struct Block: Sendable {
        let key: Digest
        let plainLength: Int
        /// Known once it is encoded.
        var id: Digest?
        /// Nil in the base's blocks: their stores have them, and flists do not tell.
        var storedLength: Int?
    }

    private struct State {
        var positions: [Digest: UInt32] = [:]
        var blocks: [Block] = []
    }

    static let full = FlistError(
        .unsupported, "there are more than \(PackFile.hole) different blocks; use larger ones")

    private let state = Mutex(State())

    /// The block's position, and whether the caller is the first and has to encode and store it; nil when full.
    func claim(_ key: Digest, plainLength: Int) -> (position: UInt32, isNew: Bool)? {
        state.withLock { state in
            if let position = state.positions[key] { return (position, false) }
            // The last number means a hole.
            guard let position = UInt32(exactly: state.blocks.count), position < PackFile.hole else { return nil }
            state.positions[key] = position
            state.blocks.append(Block(key: key, plainLength: plainLength))
            return (position, true)
        }
    }

    /// Notes the id of a block that stores have already.
    func stored(_ position: UInt32, id: Digest) {
        state.withLock { if Int(position) < $0.blocks.count { $0.blocks[Int(position)].id = id } }
    }

    func encoded(_ position: UInt32, id: Digest, storedLength: Int) {
        state.withLock { state in
            guard Int(position) < state.blocks.count else { return }
            state.blocks[Int(position)].id = id
            state.blocks[Int(position)].storedLength = storedLength
        }
    }

    /// The block's position; nil when it has not been met.
    func position(of key: Digest) -> UInt32? { state.withLock { $0.positions[key] } }

    var all: [Block] { state.withLock { $0.blocks } }
}
