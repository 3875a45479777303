internal import Glibc

/// hiredis writes with `write`, and a closed connection then raises SIGPIPE in the thread of whoever called us.
enum PipeSignal {
    /// Runs `body` with the signal held back, and takes it away afterwards, unless the caller did not want it anyway.
    static func heldBack<Result>(_ body: () throws(RedisError) -> Result) throws(RedisError) -> Result {
        var (pipe, old) = (sigset_t(), sigset_t())
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &old)
        defer {
            if sigismember(&old, SIGPIPE) == 0 {
                var none = timespec()
                sigtimedwait(&pipe, nil, &none)
                pthread_sigmask(SIG_SETMASK, &old, nil)
            }
        }
        return try body()
    }
}
