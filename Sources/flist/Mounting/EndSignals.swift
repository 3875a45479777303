internal import Glibc
internal import Support

/// The signals that end a mount: SIGTERM, SIGINT and SIGHUP.
struct EndSignals: Sendable {
    private let set: sigset_t

    /// Keeps them from ending the process. Call before any thread is started: threads inherit it.
    static func block() -> EndSignals {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return EndSignals(set: set)
    }

    /// Runs `action` on a thread of its own each time one arrives. Returns at once.
    func wait(_ action: @escaping @Sendable () -> Void) throws(FlistError) {
        try WorkerThread("signals") {
            var set = set
            var signal: Int32 = 0
            while true {
                if sigwait(&set, &signal) == 0 { action() }
            }
        }.detach()
    }
}
