internal import Synchronization

/// Counts requests by kind; thread-safe, and cheap enough for every request.
public final class RequestCounters: Sendable {
    /// A kind of request, by its number in <linux/fuse.h>.
    public enum Kind: UInt32, Sendable, CaseIterable {
        case lookup = 1, forget = 2, getAttributes = 3, setAttributes = 4, readLink = 5, open = 14, read = 15
        case statistics = 17, release = 18, getXattr = 22, listXattr = 23, flush = 25, openDirectory = 27
        case readDirectory = 28, releaseDirectory = 29, access = 34, interrupt = 36, destroy = 38, ioctl = 39
        case batchForget = 42, readDirectoryPlus = 44, seek = 46
    }

    // One per opcode below 64; later ones share the last.
    private let counts: [Counter] = (0..<64).map { _ in Counter() }

    private final class Counter: Sendable {
        let value = Atomic<UInt64>(0)
    }

    init() {}

    func count(opcode: UInt32) {
        counts[Int(min(opcode, 63))].value.wrappingAdd(1, ordering: .relaxed)
    }

    /// How many requests of a kind have been received.
    public subscript(_ kind: Kind) -> UInt64 { self[opcode: kind.rawValue] }

    /// How many requests of an opcode have been received.
    public subscript(opcode opcode: UInt32) -> UInt64 {
        opcode < 64 ? counts[Int(opcode)].value.load(ordering: .relaxed) : 0
    }

    /// All requests, forgets and interrupts included.
    public var total: UInt64 { counts.reduce(0) { $0 &+ $1.value.load(ordering: .relaxed) } }
}
