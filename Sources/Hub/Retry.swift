internal import Logging
internal import Support

/// Makes attempts until one succeeds, with growing pauses between them. Blocks.
struct Retry {
    /// Attempts in a row that may bring nothing.
    var attempts: Int
    /// Before an attempt has brought anything: as few attempts, and no pause that ends later.
    var quick: (attempts: Int, deadline: Deadline)?
    let deadline: Deadline
    let options: Hub.Options
    /// True once all is to end.
    let isClosed: Monitor<Bool>

    /// What `attempt` answers; or its last error, once no further attempt may help or fit before the deadline.
    func run<Value>(
        onRetry: (HubTrouble, Duration) -> Void, _ attempt: () throws(HubTrouble) -> Value
    ) throws(HubTrouble) -> Value {
        var failures = 0
        var (limit, end) = quick ?? (attempts, deadline)
        while true {
            guard !isClosed.withLock({ $0 }) else { throw .closed }
            do throws(HubTrouble) {
                return try attempt()
            } catch {
                if error.madeProgress { (failures, limit, end) = (0, attempts, deadline) }
                failures += 1
                guard error.mayRetry, failures < limit else { throw error }
                let pause = max(pause(after: failures), error.retryAfter ?? .zero)
                guard pause < min(end, deadline).remaining else { throw error }
                onRetry(error, pause)
                _ = isClosed.wait(until: .after(pause)) { $0 ? true : nil }
            }
        }
    }

    /// Doubled each time; between half of it and all of it, so that a hub that comes back is not met by all at once.
    private func pause(after failures: Int) -> Duration {
        let whole = min(options.longestPause, options.firstPause * (1 << min(failures - 1, 16)))
        return whole * Double.random(in: 0.5...1)
    }
}
