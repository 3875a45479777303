internal import Glibc
public import Support

/// Turns SIGTERM, SIGINT and SIGHUP into calls, one after the other, on a thread of their own.
///
/// Make it before any thread starts: it blocks the signals, threads inherit that, and one thread waits for them. What
/// comes before `handle` is called waits.
public struct ProgramSignals: Sendable {
    private let signals: sigset_t

    /// Blocks the signals in the calling thread and in those that it starts from now on.
    public init() {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signals = set
    }

    /// Starts the thread. Call at most once.
    ///
    /// - Parameters:
    ///   - ending: called for each SIGTERM and SIGINT; a second one means that somebody is impatient.
    ///   - hangup: called for each SIGHUP; nil to have it end the program, too.
    public func handle(
        ending: @escaping @Sendable () -> Void, hangup: (@Sendable () -> Void)? = nil
    ) throws(FlistError) {
        let signals = signals
        try WorkerThread("signals") {
            var set = signals
            while true {
                var number: Int32 = 0
                guard sigwait(&set, &number) == 0 else { return }
                if number == SIGHUP, let hangup { hangup() } else { ending() }
            }
        }.detach()
    }
}
