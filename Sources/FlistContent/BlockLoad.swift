internal import BlockCodec
internal import BlockStore
internal import Support
internal import Synchronization

/// A block on its way. Once fetched it stays in the loader's table until the cache has it, so that nobody asks twice.
///
/// Thread-safe.
final class BlockLoad: Sendable {
    typealias Waiter = @Sendable (Result<BlockBuffer, FetchError>) -> Void
    /// Told whether the cache has the block now.
    typealias Keeper = @Sendable (Result<Bool, FetchError>) -> Void

    private struct State {
        var outcome: Result<BlockBuffer, FetchError>?
        var waiters: [Waiter] = []
        var ticket: FetchTicket?
        /// When somebody first waited for it.
        var demanded: Deadline?
        /// What became of it in the cache, and who waits to hear that.
        var kept: Result<Bool, FetchError>?
        var keepers: [Keeper] = []
    }

    private let state = Mutex(State())

    /// When somebody first waited for it; nil while only readahead wants it.
    var demanded: Deadline? { state.withLock { $0.demanded } }

    /// Adds one who wants it: called once, at once if the outcome is known. A demand lifts what readahead began.
    func join(_ fetchClass: FetchClass, _ waiter: Waiter?) {
        let (outcome, ticket) = state.withLock { state -> (Result<BlockBuffer, FetchError>?, FetchTicket?) in
            if let outcome = state.outcome { return (outcome, nil) }
            if let waiter { state.waiters.append(waiter) }
            guard fetchClass == .demand, state.demanded == nil else { return (nil, nil) }
            state.demanded = .now
            return (nil, state.ticket)
        }
        ticket?.lift(to: .demand)
        if let outcome { waiter?(outcome) }
    }

    /// Takes the ticket of the fetch. A demand may have joined before it was there to be lifted.
    func started(_ ticket: FetchTicket) {
        let isDemanded = state.withLock { state -> Bool in
            state.ticket = ticket
            return state.demanded != nil
        }
        if isDemanded { ticket.lift(to: .demand) }
    }

    /// Tells all who wait, and all who come later. Call once.
    func finish(_ result: Result<BlockBuffer, FetchError>) {
        let waiters = state.withLock { state -> [Waiter] in
            state.outcome = result
            state.ticket = nil
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter(result) }
    }

    /// Adds one who wants it in the cache: called once, at once if that is known.
    func keep(_ keeper: @escaping Keeper) {
        let kept = state.withLock { state -> Result<Bool, FetchError>? in
            if state.kept == nil { state.keepers.append(keeper) }
            return state.kept
        }
        if let kept { keeper(kept) }
    }

    /// Tells those what has become of it. Call once, after `finish`.
    func kept(_ result: Result<Bool, FetchError>) {
        let keepers = state.withLock { state -> [Keeper] in
            state.kept = result
            defer { state.keepers = [] }
            return state.keepers
        }
        for keeper in keepers { keeper(result) }
    }
}
