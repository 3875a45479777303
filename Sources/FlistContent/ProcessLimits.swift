internal import Glibc

/// What the system lets this process use.
enum ProcessLimits {
    /// Open files allowed, after asking for as many as may be had.
    static let openFiles: Int = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        if limit.rlim_cur < limit.rlim_max {
            var wish = limit
            wish.rlim_cur = limit.rlim_max
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wish) == 0 { limit = wish }
        }
        return Int(clamping: limit.rlim_cur)
    }()
}
