internal import CLinux
internal import Glibc
internal import Support

/// Starts this program again, with the same arguments, as a process that outlives the terminal.
///
/// A child of posix_spawn has no threads or locks of its parent's: forking would copy those of a library's threads.
enum BackgroundProcess {
    /// Returns when the process says that it is ready; throws what it says instead.
    ///
    /// - Parameter word: the argument behind which `--ready-fd` may stand; nil for the program's own name.
    static func start(after word: String? = nil) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FlistError("cannot make a pipe", errno: .current) }
        let reading = FileDescriptor(owning: ends[0])
        do {
            let writing = FileDescriptor(owning: ends[1])
            try spawn(telling: writing.number, after: word)
        }
        try wait(reading.number)
    }

    /// Where the child finds the writing end.
    private static let readyDescriptor: Int32 = 3

    private static func spawn(telling writer: Int32, after word: String?) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, writer, readyDescriptor)
        // Descriptors that this process was given are not the mount's: somebody may wait for the end of a pipe.
        linux_spawn_close_from(&actions, readyDescriptor + 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID (spawn.h), which Glibc shows to Swift only with _GNU_SOURCE: no signal of the terminal's.
        posix_spawnattr_setflags(&attributes, 0x80)
        var arguments = CommandLine.arguments
        let place = word.flatMap { arguments.firstIndex(of: $0) }.map { $0 + 1 } ?? min(1, arguments.count)
        arguments.insert("--ready-fd=\(readyDescriptor)", at: place)
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, &words, environ)
        guard code == 0 else {
            throw FlistError("cannot start a process in the background", errno: Errno(rawValue: code))
        }
    }

    /// Reads what the child says until it lets go of the pipe.
    private static func wait(_ descriptor: Int32) throws {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try systemCall { read(descriptor, &chunk, chunk.count) }
            if count == 0 { break }
            bytes += chunk.prefix(count)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if text == Readiness.ready { return }
        guard let line = text.split(separator: "\n").first else {
            throw FlistError(.io, "the mount's process ended before it was ready; --foreground shows why")
        }
        // "usage" or "error", a space, and the message.
        let isUsage = line.hasPrefix("usage ")
        throw FlistError(isUsage ? .usage : .io, String(line.drop { $0 != " " }.dropFirst()))
    }
}

/// How a background process tells whether it could begin. Without a descriptor it tells nobody.
struct Readiness {
    static let ready = "ok\n"

    private let descriptor: Int32?

    init(_ descriptor: Int32?) {
        self.descriptor = descriptor
        // Helpers such as fusermount3 must not keep the parent waiting.
        if let descriptor { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    func succeed() { say(Self.ready) }

    func fail(_ error: any Error) {
        let kind = (error as? FlistError)?.code == .usage ? "usage" : "error"
        let line = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
        say("\(kind) \(line)\n")
    }

    private func say(_ text: String) {
        guard let descriptor else { return }
        let bytes = Array(text.utf8)
        _ = try? systemCall { write(descriptor, bytes, bytes.count) }
        close(descriptor)
    }
}
