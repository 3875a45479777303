internal import CLinux
internal import Glibc
internal import Keeper
internal import Support

/// What a process in the background is: who waits for it, and who keeps what it serves.
struct BackgroundRole {
    let readiness: Readiness
    /// Nil where nobody keeps anything.
    let keeper: KeeperLink?
    /// Whether it goes on where another process died.
    let isSuccessor: Bool
}

/// Splits a process that outlives the terminal off this one, and a keeper that starts another one when that dies.
///
/// By fork(2) alone: starting the program twice takes longer than mounting. So this comes before the first thread.
enum BackgroundProcess {
    /// Calls `serve` in the new process; in this one, returns when that says that it is ready, or throws what it says
    /// instead. In a process that a keeper started, only calls `serve`.
    ///
    /// - Parameter patience: how long a mount waits for a successor of its process; zero for no keeper.
    static func start(patience: Duration, _ serve: (BackgroundRole) throws -> Void) throws {
        if let link = Supervisor.successorLink() {
            return try serve(BackgroundRole(readiness: Readiness(nil), keeper: link, isSuccessor: true))
        }
        var ends: [Int32] = [-1, -1]
        guard linux_pipe2(&ends, O_CLOEXEC) == 0 else { throw FlistError("cannot make a pipe", errno: .current) }
        let child = linux_fork()
        guard child != 0 else {
            leaveTerminal(keeping: ends[1])
            let readiness = Readiness(readyDescriptor)
            let link: KeeperLink?
            do throws(FlistError) {
                link = patience > .zero ? try Supervisor.split(patience: patience, closing: [readyDescriptor]) : nil
            } catch {
                readiness.fail(error)
                throw error
            }
            return try serve(BackgroundRole(readiness: readiness, keeper: link, isSuccessor: false))
        }
        let reading = FileDescriptor(owning: ends[0])
        close(ends[1])
        guard child > 0 else { throw FlistError("cannot start a process in the background", errno: .current) }
        try wait(reading.number)
    }

    /// Where the child finds the writing end.
    private static let readyDescriptor: Int32 = 3

    /// No signal of the terminal's comes any more, and descriptors that this process was given are not the mount's:
    /// somebody may wait for the end of a pipe.
    private static func leaveTerminal(keeping writer: Int32) {
        setsid()
        let null = open("/dev/null", O_RDWR)
        for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { dup2(null, number) }
        if writer != readyDescriptor { dup2(writer, readyDescriptor) }
        guard linux_close_from(readyDescriptor + 1) != 0 else { return }
        // Before Linux 5.9.
        for number in readyDescriptor + 1..<Int32(clamping: sysconf(Int32(_SC_OPEN_MAX))) { close(number) }
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
