public import FlistImage

/// What was read of a flist after it was mounted, as a cache folder keeps it.
public struct RecordedProfile: Sendable, Hashable {
    /// In the order in which it was wanted.
    public var entries: [ProfileEntry]
    /// Whether recording went on for as long as it may; else a later, longer one is to replace this.
    public var isComplete: Bool

    public init(entries: [ProfileEntry], isComplete: Bool) {
        self.entries = entries
        self.isComplete = isComplete
    }

    /// Bytes of all ranges.
    public var bytes: UInt64 { entries.reduce(0) { $0 &+ $1.length } }
}
