internal import CLinux
internal import Glibc

/// What the whole process needs before anything runs.
public enum Process {
    /// Call once, first of all.
    public static func prepare() {
        fillStandardDescriptors()
        // Writing to a closed pipe is an error that is told apart from others (EPIPE), not a sudden end: connections
        // to stores have the same errno, and must not end the program.
        signal(SIGPIPE, SIG_IGN)
        raiseOpenFileLimit()
        keepLargeBuffersApart()
    }

    /// Opens what was closed of the first three descriptors: what got their numbers would be written to as if it were
    /// stderr, a file of the cache too.
    private static func fillStandardDescriptors() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 { _ = open("/dev/null", O_RDWR) }
    }

    /// Gives each buffer of a block a mapping of its own, which goes back to the system with it.
    ///
    /// malloc(3) does so until the first of them is freed, and from then on cuts them from the arenas of its threads
    /// (M_MMAP_THRESHOLD in mallopt(3)), which hold what was freed between others: a flistd that read for nine minutes
    /// had 427 MiB of which 359 were free.
    private static func keepLargeBuffersApart() {
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
    }

    public static var isRoot: Bool { geteuid() == 0 }

    /// Deep trees hold a descriptor per level; the soft limit is 1,024 for the sake of select(2), which nobody uses here.
    private static func raiseOpenFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// A variable of the environment; an empty one counts as absent.
    public static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}
