internal import Logging
internal import Support

/// Makes attempts until one succeeds, with growing pauses between them. Blocks.
struct Retry {
    /// Attempts in a row that may bring nothing.
    var attempts: Int
    /// The same, before an attempt has brought anything.
    var firstAttempts: Int
    let deadline: Deadline
    let options: Hub.Options

    /// What `attempt` answers; or its last error, once no further attempt may help or fit before the deadline.
    func run<Value>(
        onRetry: (HubTrouble, Duration) -> Void, _ attempt: () throws(HubTrouble) -> Value
    ) throws(HubTrouble) -> Value {
        var failures = 0
        var limit = min(attempts, firstAttempts)
        while true {
            do throws(HubTrouble) {
                return try attempt()
            } catch {
                if error.madeProgress { (failures, limit) = (0, attempts) }
                failures += 1
                guard error.mayRetry, failures < limit else { throw error }
                let pause = max(pause(after: failures), error.retryAfter ?? .zero)
                guard pause < deadline.remaining else { throw error }
                onRetry(error, pause)
                Self.sleep(pause)
            }
        }
    }

    /// Doubled each time; between half of it and all of it, so that a hub that comes back is not met by all at once.
    private func pause(after failures: Int) -> Duration {
        let whole = min(options.longestPause, options.firstPause * (1 << min(failures - 1, 16)))
        return whole * Double.random(in: 0.5...1)
    }

    private static func sleep(_ duration: Duration) {
        _ = Monitor(()).wait(until: .after(duration)) { (_: inout Void) -> Void? in nil }
    }
}
