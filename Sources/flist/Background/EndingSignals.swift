internal import CLinux
internal import FlistFileSystem
internal import Glibc
internal import Support

/// Turns SIGTERM, SIGINT and SIGHUP into the end of a mount.
///
/// Make it before any thread starts: it blocks the signals, threads inherit that, and one thread of its own waits.
struct EndingSignals {
    private let signals: sigset_t

    init() {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signals = set
    }

    /// From now on the first of these signals ends the mount, as each further one tries again.
    func stop(_ mount: FlistMount) throws(FlistError) {
        let signals = signals
        try WorkerThread("signals") {
            var set = signals
            while true {
                var number: Int32 = 0
                guard sigwait(&set, &number) == 0 else { return }
                do throws(FlistError) {
                    try mount.stop()
                } catch {
                    Terminal.complain("cannot end the mount: \(error)")
                }
            }
        }.detach()
    }
}
