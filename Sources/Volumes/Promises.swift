internal import Support
internal import Synchronization

/// How much the limits of a pool add up to, at most: what was counted last and what was promised since.
///
/// Counting asks the kernel for every volume; a bound that fits spares it. Thread-safe.
final class Promises: Sendable {
    private struct State {
        /// In bytes; nil as long as nothing was counted.
        var counted: UInt64?
        /// Of all promises, and of those when counting began. They wrap around: only the difference matters.
        var made: UInt64 = 0
        var madeBefore: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Notes a promise that the kernel knows of already: counting it twice does no harm, missing it would. One that
    /// is taken back counts until the next recount.
    func add(_ bytes: UInt64) {
        state.withLock { $0.made &+= bytes }
    }

    /// No less than what is promised; nil before it was counted.
    var bound: UInt64? {
        state.withLock { $0.counted?.addingSaturated($0.made &- $0.madeBefore) }
    }

    /// Counts anew by `count` and answers the bound. One thread at a time.
    func recount(_ count: () throws(Errno) -> UInt64) throws(Errno) -> UInt64 {
        let before = state.withLock { $0.made }
        let counted = try count()
        return state.withLock { state in
            state.counted = counted
            state.madeBefore = before
            return counted.addingSaturated(state.made &- before)
        }
    }
}
