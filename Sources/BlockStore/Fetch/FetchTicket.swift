/// One caller's interest in a block. Letting go of it changes nothing. Thread-safe.
public final class FetchTicket: Sendable {
    private let core: FetchCore
    private let job: FetchJob
    private let waiter: UInt64

    init(core: FetchCore, job: FetchJob, waiter: UInt64) {
        self.core = core
        self.job = job
        self.waiter = waiter
    }

    /// Ends the wait: the completion gets `cancelled` unless it already ran or is about to.
    ///
    /// When nobody else waits for the block a queued fetch is dropped and a running one is told to stop.
    public func cancel() { core.cancel(job, waiter: waiter) }

    /// Makes a queued fetch at least as urgent as `fetchClass`.
    public func lift(to fetchClass: FetchClass) { core.lift(job, to: fetchClass) }
}
