import Glibc
import Support
import Testing

/// A child process; its output goes nowhere, or is kept.
struct Command {
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
        case running
    }

    let id: pid_t

    init(_ path: String, _ arguments: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number in 1...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_WRONLY, 0)
        }
        // The test runner may have blocked or ignored signals.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let words = ([path] + arguments).map { strdup($0) }
        defer { words.forEach { free($0) } }
        var id = pid_t()
        try #require(posix_spawn(&id, path, &actions, &attributes, words + [nil], environ) == 0)
        self.id = id
    }

    /// How it ends within 20 seconds; it is killed if it does not.
    func wait() -> End {
        var end = End.running
        let isOver = eventually {
            var status: Int32 = 0
            guard waitpid(id, &status, WNOHANG) == id else { return false }
            end = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
            return true
        }
        if !isOver { kill(id, SIGKILL) }
        return end
    }
}
