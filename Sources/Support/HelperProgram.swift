internal import CLinux
internal import Glibc

/// A program of the system that does a part of the work, such as fusermount3.
public struct HelperProgram: Sendable {
    /// How it ended: 0 is success; a signal counts as 128 and its number.
    public struct End: Sendable {
        public let status: Int32
        /// The first line of what it complained about, at most 1024 bytes.
        public let complaint: String
    }

    public let path: String

    /// Finds it in the folders of PATH, then in those given; nil when it is not installed.
    public init?(named name: String, alsoIn folders: [String]) {
        let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let places = (search.split(separator: ":").map(String.init) + folders).map { "\($0)/\(name)" }
        guard let path = places.first(where: { access($0, X_OK) == 0 }) else { return nil }
        self.path = path
    }

    /// Runs it and waits until it ends. It reads nothing, and only what it complains about is kept. Blocks.
    public func run(_ arguments: [String]) throws(FlistError) -> End {
        var pipe: [Int32] = [-1, -1]
        guard linux_pipe2(&pipe, O_CLOEXEC) == 0 else { throw FlistError("cannot run \(path)", errno: .current) }
        let output = FileDescriptor(owning: pipe[0])
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, pipe[1], 2)
        // Our worker threads block all signals; a program must be able to hear them. Not the terminal's, which are for
        // this one to act on: a mount may appear after its caller was ended.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        let words = ([path] + arguments).map { strdup($0) }
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, &attributes, words + [nil], environ)
        words.forEach { free($0) }
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        close(pipe[1])
        guard code == 0 else { throw FlistError("cannot run \(path)", errno: Errno(rawValue: code)) }
        let complaint = Self.drain(output)
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        let line = complaint.prefix { $0 != UInt8(ascii: "\n") }
        let exited = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f)
        return End(status: exited, complaint: String(decoding: line, as: UTF8.self))
    }

    /// Reads to the end, so that the program never waits or dies for want of a reader; keeps the beginning.
    private static func drain(_ output: borrowing FileDescriptor) -> [UInt8] {
        let number = output.number
        var kept: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1024)
        while true {
            let count = (try? systemCall { read(number, &chunk, chunk.count) }) ?? 0
            if count <= 0 { return kept }
            kept += chunk.prefix(min(count, 1024 - kept.count))
        }
    }
}
