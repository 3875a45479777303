internal import CLinux
internal import Foundation
internal import Glibc
internal import Support
internal import Synchronization

/// A program started by the tests, with nothing of theirs but what is given: no descriptor of a test that runs beside
/// it (Foundation's Process hands those on, and whoever waits for the end of one then waits for the other), no blocked
/// or ignored signal.
///
/// Killed with its object. Every thread may use it.
public final class ChildProcess: Sendable {
    /// How a program ended.
    public enum End: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)

        /// As the shell counts: 128 and the signal's number.
        public var status: Int32 {
            switch self {
            case .exited(let status): status
            case .signalled(let number): 128 + number
            }
        }
    }

    public let pid: Int32
    private let end = Mutex<End?>(nil)

    /// Starts it.
    ///
    /// - Parameters:
    ///   - words: the program, looked for in PATH, and its arguments.
    ///   - environment: on top of the environment of the tests.
    ///   - input, output, errors: open descriptors of the caller; nil is /dev/null.
    public init(
        _ words: [String], in folder: String? = nil, environment: [String: String] = [:], input: Int32? = nil,
        output: Int32? = nil, errors: Int32? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, stream) in [input, output, errors].enumerated() {
            if let stream {
                posix_spawn_file_actions_adddup2(&actions, stream, Int32(number))
            } else {
                posix_spawn_file_actions_addopen(
                    &actions, Int32(number), "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
            }
        }
        _ = linux_spawn_close_from(&actions, 3)
        if let folder { _ = linux_spawn_change_folder(&actions, folder) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        let (argv, envp) = (words.map { strdup($0) }, variables.map { strdup($0) })
        defer { (argv + envp).forEach { free($0) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, words.first ?? "", &actions, &attributes, argv + [nil], envp + [nil])
        guard code == 0 else { throw FlistError("cannot run \(words)", errno: Errno(rawValue: code)) }
        self.pid = pid
    }

    deinit { kill() }

    public func signal(_ number: Int32) { if isRunning { _ = Glibc.kill(pid, number) } }

    /// Ends it without its having a say; it is gone when this returns.
    public func kill() {
        signal(SIGKILL)
        wait()
    }

    public var isRunning: Bool { reap(WNOHANG) == nil }

    /// Waits for its end.
    @discardableResult
    public func wait() -> End {
        // Left to be waited for, so that its number stays its own until the lock is held.
        var information = siginfo_t()
        if isRunning { while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) == -1, errno == EINTR {} }
        return reap(0) ?? .exited(-1)
    }

    /// How it ends within the time of `eventually`; it is killed if it does not.
    public func endSoon() -> End {
        if !eventually({ !isRunning }) { kill() }
        return wait()
    }

    private func reap(_ options: Int32) -> End? {
        end.withLock { end in
            var status: Int32 = 0
            if end == nil, waitpid(pid, &status, options) == pid {
                end = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
            }
            return end
        }
    }

    /// What a program wrote, and how it ended.
    public struct Outcome: Sendable {
        public let status: Int32
        public let output: String
        public let errors: String
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - input: what it reads.
    ///   - joined: true to have its errors between its output, as a terminal shows them.
    public static func run(
        _ words: [String], in folder: String? = nil, environment: [String: String] = [:], input: String = "",
        joined: Bool = false
    ) throws -> Outcome {
        let (feed, output, errors) = (try file(input), Pipe(), try file(""))
        let child = try ChildProcess(
            words, in: folder, environment: environment, input: feed.fileDescriptor,
            output: output.fileHandleForWriting.fileDescriptor,
            errors: (joined ? output.fileHandleForWriting : errors).fileDescriptor)
        try output.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let end = child.wait()
        try errors.seek(toOffset: 0)
        let complaints = String(decoding: errors.readDataToEndOfFile(), as: UTF8.self)
        return Outcome(status: end.status, output: text, errors: complaints)
    }

    /// A file in memory, at its beginning. Unlike a pipe it takes any amount and nobody waits for it.
    private static func file(_ text: String) throws -> FileHandle {
        let number = linux_memfd_create("child")
        guard number >= 0 else { throw FlistError("cannot make a file in memory", errno: .current) }
        let file = FileHandle(fileDescriptor: number, closeOnDealloc: true)
        try file.write(contentsOf: Data(text.utf8))
        try file.seek(toOffset: 0)
        return file
    }
}
