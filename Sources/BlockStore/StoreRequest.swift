public import BlockCodec
internal import Synchronization
public import Support

/// One read of one block from one store. Completed exactly once, from any thread.
public final class StoreRequest: Sendable {
    public typealias Completion = @Sendable (Result<BlockBuffer, StoreError>) -> Void

    /// The block's name in the store.
    public let id: Digest
    /// Stored bytes beyond this are refused as `tooLarge`, before memory is taken for them.
    public let maximumLength: Int
    /// When the store gives up with `timedOut`.
    public let deadline: Deadline
    private let completion: Mutex<Completion?>

    public init(
        id: Digest, maximumLength: Int, deadline: Deadline, completion: @escaping Completion
    ) {
        self.id = id
        self.maximumLength = maximumLength
        self.deadline = deadline
        self.completion = Mutex(completion)
    }

    /// True once it was completed or cancelled: the store may skip what it has not sent.
    public var isFinished: Bool { completion.withLock { $0 == nil } }

    /// Hands over the outcome. Only the first call counts. The completion must not block.
    public func complete(_ result: Result<BlockBuffer, StoreError>) {
        let completion = completion.withLock { completion -> Completion? in
            defer { completion = nil }
            return completion
        }
        completion?(result)
    }

    /// Completes it with `cancelled`.
    public func cancel() { complete(.failure(.cancelled)) }
}
