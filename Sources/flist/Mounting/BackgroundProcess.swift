internal import CLinux
internal import Glibc
internal import Support

/// Starts this program again as a process of its own, and waits for its word that the mount is usable.
///
/// Not fork(2): threads would be lost halfway through what they hold.
enum BackgroundProcess {
    /// The descriptor on which the new process tells how it went.
    private static let readyDescriptor: Int32 = 3

    /// - Parameter logFile: where its messages are appended; nil to drop them.
    /// - Throws: what the new process says went wrong.
    static func start(logFile: String?) throws(FlistError) {
        var ends: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &ends) { pointer in
            pointer.withMemoryRebound(to: Int32.self, capacity: 2) { linux_pipe2($0, O_CLOEXEC) }
        }
        guard made == 0 else { throw FlistError("cannot make a pipe", errno: .current) }
        let reader = FileDescriptor(owning: ends.0)
        let child = try spawn(writer: FileDescriptor(owning: ends.1), logFile: logFile)
        // The child holds the only writing end now: its death is an end of file.
        let answer = ReadyPipe.read(from: reader)
        switch answer {
        case .success: return
        case .failure(let error): throw error
        case nil: throw ended(child)
        }
    }

    private static func spawn(writer: consuming FileDescriptor, logFile: String?) throws(FlistError) -> pid_t {
        let log: FileDescriptor
        let path = logFile ?? "/dev/null"
        do {
            log = try FileDescriptor(path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o644)
        } catch {
            throw FlistError("cannot open the log file \(path)", errno: error)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, log.number, STDERR_FILENO)
        posix_spawn_file_actions_adddup2(&actions, writer.number, readyDescriptor)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, declared for _GNU_SOURCE only: a session without a terminal.
        posix_spawnattr_setflags(&attributes, 0x80)
        var arguments = CommandLine.arguments.map { strdup($0) } + [strdup("--ready-fd=\(readyDescriptor)"), nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        let code = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, &arguments, environ)
        guard code == 0 else {
            throw FlistError("cannot start the background process", errno: Errno(rawValue: code))
        }
        return child
    }

    private static func ended(_ child: pid_t) -> FlistError {
        var status: Int32 = 0
        guard (try? systemCall { waitpid(child, &status, 0) }) == child else {
            return FlistError(.io, "the background process ended without a word")
        }
        let signal = status & 0x7f
        let how = signal == 0 ? "ended with status \(status >> 8 & 0xff)" : "was ended by signal \(signal)"
        return FlistError(.io, "the background process \(how) before the mount was usable; --foreground shows more")
    }
}
