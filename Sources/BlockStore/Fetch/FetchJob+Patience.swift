internal import Support

/// How long a block is waited for.
///
/// A wait has two ends: `deadline`, come what may, and one that moves on while bytes come. While stores are asked one
/// after the other, each has its share of the time; in the first round each is asked, even if the time is used up.
extension FetchJob {
    /// When a waiter is told that it was in vain, unless something comes before.
    func expiry(_ waiter: Waiter) -> Deadline {
        let end: Deadline
        switch phase {
        // As long again as for a store: the way to it may be taken by blocks of a store that is silent.
        case .queued: end = max(waiter.joined, storeLife).advanced(by: patience * 2)
        case .attempting:
            let silent = [current, hedge].compactMap { $0?.silentAt }.max()
            end = max(waiter.joined.advanced(by: patience), silent ?? waiter.joined)
        case .pausing: end = waiter.joined.advanced(by: patience)
        case .decoding, .finished: end = .never
        }
        return min(waiter.deadline, end)
    }

    /// When asking stores again ends if nothing comes.
    var lastTry: Deadline { waiters.map { min($0.deadline, $0.joined.advanced(by: patience)) }.max() ?? .now }

    /// How long the next store may be silent: its share of the time, where `others` are to be asked after it.
    func share(others: Int) -> Duration {
        max(lastTry.remaining / (others + 1), patience / 4)
    }

    /// Takes note of bytes that came.
    func noteLife() {
        current?.noteLife()
        hedge?.noteLife()
        guard phase == .queued else { return }
        storeLife = replicas().map(\.progress.last).max() ?? storeLife
    }
}
