public import BlockCodec
public import Support

/// Fetches, verifies and decodes blocks: one for the process. Thread-safe.
///
/// Fetches of the same block join. Memory under way is bounded, and no thread waits for a store.
public final class BlockFetcher: Sendable {
    public typealias Completion = @Sendable (Result<BlockBuffer, FetchError>) -> Void

    private let core: FetchCore

    /// Makes a fetcher; its threads start with the first fetch.
    public init(options: FetcherOptions = FetcherOptions()) { core = FetchCore(options) }

    deinit { core.abandon() }

    /// Fetches a block from the stores of a router. Returns at once.
    ///
    /// - Parameters:
    ///   - deadline: When to give up; `FetcherOptions.deadline` from now by default.
    ///   - completion: Runs exactly once, on a thread of the fetcher, and must not block for long. The buffer holds
    ///     verified plain bytes.
    @discardableResult
    public func fetch(
        _ reference: BlockReference, from router: BlockRouter, _ fetchClass: FetchClass, deadline: Deadline? = nil,
        completion: @escaping Completion
    ) -> FetchTicket {
        core.fetch(reference, router, fetchClass, deadline ?? .after(core.options.deadline), completion)
    }

    /// Fetches a block and waits for it. Not for a thread of the fetcher, such as in a completion.
    public func block(
        _ reference: BlockReference, from router: BlockRouter, _ fetchClass: FetchClass = .demand,
        deadline: Deadline? = nil
    ) throws(FetchError) -> BlockBuffer {
        let outcome = Monitor<Result<BlockBuffer, FetchError>?>(nil)
        fetch(reference, from: router, fetchClass, deadline: deadline) { result in
            outcome.withLock { $0 = result }
            outcome.signal()
        }
        return try outcome.wait { $0 }.get()
    }

    public var statistics: FetchStatistics { core.statistics }

    /// Cancels what is under way and waits for the threads to end; later fetches are cancelled at once.
    ///
    /// Must not be called from a completion.
    public func shutdown() { core.shutdown() }
}
