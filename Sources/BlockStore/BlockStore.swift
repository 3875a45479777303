public import Support

/// A place that holds stored blocks by id. Thread-safe.
public protocol BlockStore: AnyObject, Sendable {
    /// The address as a person may see it: without passwords and tokens.
    var address: String { get }

    /// Starts reads and returns at once. Each request is completed on any thread, by its deadline.
    func get(_ requests: [StoreRequest])

    /// Writes a block and returns when the store has it. Writing it again is no error.
    func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError)

    /// Writes blocks, as `put` does one; for many small ones in fewer round trips where the store can.
    func put(_ blocks: [StoredBlock]) throws(StoreError)

    /// Tells for each id whether the store has it. Blocks.
    func contains(_ ids: [Digest]) throws(StoreError) -> [Bool]

    /// Reads that the store has under way at once; more of them wait within it, in order. Nil for any number.
    var parallelRequests: Int? { get }

    /// Ends connections and threads; requests under way are cancelled.
    func close()
}

/// A block as stores hold it; the bytes live while they are being written.
public struct StoredBlock {
    public let id: Digest
    public let bytes: UnsafeRawBufferPointer

    public init(_ id: Digest, _ bytes: UnsafeRawBufferPointer) {
        self.id = id
        self.bytes = bytes
    }
}

extension BlockStore {
    public func put(_ blocks: [StoredBlock]) throws(StoreError) {
        for block in blocks { try put(block.id, block.bytes) }
    }

    public var parallelRequests: Int? { nil }
}
