public import Support

/// A place that holds stored blocks by id. Thread-safe.
public protocol BlockStore: AnyObject, Sendable {
    /// The address as a person may see it: without passwords and tokens.
    var address: String { get }

    /// Starts reads and returns at once. Each request is completed on any thread, by its deadline.
    func get(_ requests: [StoreRequest])

    /// Writes a block and returns when the store has it. Writing it again is no error.
    func put(_ id: Digest, _ stored: UnsafeRawBufferPointer) throws(StoreError)

    /// Tells for each id whether the store has it. Blocks.
    func contains(_ ids: [Digest]) throws(StoreError) -> [Bool]

    /// Reads that the store has under way at once; more of them wait within it, in order. Nil for any number.
    var parallelRequests: Int? { get }

    /// Ends connections and threads; requests under way are cancelled.
    func close()
}

extension BlockStore {
    public var parallelRequests: Int? { nil }
}
