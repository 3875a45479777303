/// What a keeper holds for a process that may die: descriptors, and what its successor needs to know.
public struct KeptItem: Sendable, Equatable {
    /// Names it among those of one keeper.
    public let key: String
    /// Opaque to the keeper, which has it in memory only. 64 KiB at most.
    public let description: [UInt8]
    /// Open descriptors; the first is that of /dev/fuse. Whoever takes an item owns them.
    public let descriptors: [Int32]

    public init(key: String, description: [UInt8], descriptors: [Int32]) {
        self.key = key
        self.description = description
        self.descriptors = descriptors
    }
}
