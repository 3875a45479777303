/// What the cache has of one block.
public enum BlockState: UInt8, Sendable {
    /// Nothing: fetch it.
    case absent = 0x00
    /// Bytes that may not have reached the disk before the machine stopped: verify them before use.
    case suspect = 0xA6
    /// Verified bytes.
    case present = 0x5B
    // In maps on disk each value is at least four bits away from the others: no flipped bit makes a block present.

    /// Reads a byte of a map; a byte that is none of ours makes the block suspect.
    init(stored byte: UInt8) { self = BlockState(rawValue: byte) ?? .suspect }
}
