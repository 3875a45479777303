public import BlockCodec
internal import Synchronization
public import Support

/// One read of one block from one store. Completed exactly once, from any thread.
public final class StoreRequest: Sendable {
    public typealias Completion = @Sendable (Result<BlockBuffer, StoreError>) -> Void

    private struct State {
        var completion: Completion?
        /// When bytes came for it last; shared with others where one connection brings all in order.
        var progress: ProgressClock?
    }

    /// The block's name in the store.
    public let id: Digest
    /// Stored bytes beyond this are refused as `tooLarge`, before memory is taken for them.
    public let maximumLength: Int
    /// When the store gives up with `timedOut`.
    public let deadline: Deadline
    /// A connection that says nothing for this long while it owes an answer is stuck.
    public let patience: Duration
    /// Told of every byte that comes from the store.
    let store: ProgressClock
    private let state: Mutex<State>

    public convenience init(
        id: Digest, maximumLength: Int, deadline: Deadline, patience: Duration = .seconds(10),
        completion: @escaping Completion
    ) {
        self.init(
            id: id, maximumLength: maximumLength, deadline: deadline, patience: patience, store: ProgressClock(),
            completion: completion)
    }

    init(
        id: Digest, maximumLength: Int, deadline: Deadline, patience: Duration, store: ProgressClock,
        completion: @escaping Completion
    ) {
        self.id = id
        self.maximumLength = maximumLength
        self.deadline = deadline
        self.patience = patience
        self.store = store
        state = Mutex(State(completion: completion))
    }

    /// True once it was completed or cancelled: the store may skip what it has not sent.
    public var isFinished: Bool { state.withLock { $0.completion == nil } }

    /// Hands over the outcome. Only the first call counts. The completion must not block.
    public func complete(_ result: Result<BlockBuffer, StoreError>) {
        let completion = state.withLock { state -> Completion? in
            defer { state.completion = nil }
            return state.completion
        }
        completion?(result)
    }

    /// Completes it with `cancelled`.
    public func cancel() { complete(.failure(.cancelled)) }

    /// From now on what comes on that connection counts as progress.
    func follow(_ clock: ProgressClock) { state.withLock { $0.progress = clock } }

    /// When bytes came for it last; nil if it never was on a connection.
    var lastByte: Deadline? { state.withLock { $0.progress }?.last }
}
