internal import CLinux
internal import Glibc
public import Support

/// A keeper that has one process serve, and starts it again when it dies.
public struct Supervisor {
    /// How a process says that it makes room for a successor: an exit status of its own.
    public static let handover: Int32 = 75
    /// The variable of the environment that tells a successor the number of its descriptor.
    private static let variable = "FLIST_KEEPER"
    /// Deaths in a row, each within `shortLife`, after which nobody is started any more: a request may kill each.
    private static let maximumDeaths = 5
    private static let shortLife = Duration.seconds(1)

    private let program: String
    private let patience: Duration

    /// Makes this process a keeper, and forks the process that serves. Only while there is one thread.
    ///
    /// The keeper never returns from here: it ends with exit status 0 when the other does, and once it holds nothing.
    /// A successor is what is found then at this program's path, with the same arguments and environment.
    /// - Parameters:
    ///   - patience: how long what is kept waits for a successor.
    ///   - closing: descriptors that are the serving process's alone.
    /// - Returns: in the serving process, its link.
    public static func split(patience: Duration, closing: [Int32] = []) throws(FlistError) -> KeeperLink {
        let supervisor = Supervisor(program: try ownPath(), patience: patience)
        let (ours, theirs) = try pair()
        let child = linux_fork()
        guard child >= 0 else { throw FlistError("cannot start a process", errno: .current) }
        guard child != 0 else {
            close(ours)
            return KeeperLink(owning: FileDescriptor(owning: theirs))
        }
        // Else it would be open here, and its end would not show.
        close(theirs)
        closing.forEach { close($0) }
        supervisor.run(child, FileDescriptor(owning: ours))
    }

    /// The link of a process that was started as a successor; nil in any other.
    public static func successorLink() -> KeeperLink? {
        guard let text = getenv(variable), let number = Int32(String(cString: text)) else { return nil }
        unsetenv(variable)
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        return KeeperLink(owning: FileDescriptor(owning: number))
    }

    private static func ownPath() throws(FlistError) -> String {
        guard let path = realpath("/proc/self/exe", nil) else {
            throw FlistError("cannot find this program's path", errno: .current)
        }
        defer { free(path) }
        return String(cString: path)
    }

    /// Two ends of a connection: the keeper's and the other's.
    private static func pair() throws(FlistError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw FlistError("cannot make a socket", errno: .current)
        }
        return (ends[0], ends[1])
    }

    private func run(_ first: pid_t, _ link: consuming FileDescriptor) -> Never {
        _ = linux_prctl_set_name("flist-keeper")
        let keeper = Keeper(patience: patience)
        keeper.add(link)
        forwardSignals()
        var (deaths, started) = (0, Deadline.now)
        var owesStop = false
        servedBy = first
        while true {
            // Its descriptors are closed before it is gone, which the call below waits for: no thread of it is left.
            while !keeper.isAlone {
                keeper.step()
                // It never took over, and may hold copies of what others wait for.
                if keeper.hasGivenUp { kill(servedBy, SIGKILL) }
                // Nobody heard it when it came; whoever serves can end the mount.
                if owesStop, keeper.isServed {
                    kill(servedBy, SIGTERM)
                    owesStop = false
                }
            }
            // What could not be started counts as a failure.
            var status: Int32 = 1 << 8
            while servedBy > 0, waitpid(servedBy, &status, 0) == -1, errno == EINTR {}
            servedBy = 0
            if status == 0 || keeper.isEmpty { _exit(status == 0 ? 0 : 1) }
            let isHandover = status == Self.handover << 8
            let wasShort = Deadline.now < started.advanced(by: Self.shortLife)
            deaths = isHandover || !wasShort ? 0 : deaths + 1
            guard deaths < Self.maximumDeaths else { _exit(1) }
            if deaths > 1 { pause(keeper, .milliseconds(50 << deaths)) }
            guard !keeper.isEmpty else { _exit(0) }
            started = .now
            do throws(FlistError) { try start(keeper) } catch { continue }
            owesStop = isStopWanted
        }
    }

    /// Meanwhile the mount may be taken away.
    private func pause(_ keeper: Keeper, _ duration: Duration) {
        let deadline = Deadline.after(duration)
        while !deadline.hasPassed, !keeper.isEmpty { keeper.step(limit: deadline.remaining) }
    }

    private func start(_ keeper: Keeper) throws(FlistError) {
        let (first, second) = try Self.pair()
        let ours = FileDescriptor(owning: first)
        let theirs = FileDescriptor(owning: second)
        // Kept across exec, there alone: nobody else is started here.
        _ = fcntl(theirs.number, F_SETFD, 0)
        setenv(Self.variable, "\(theirs.number)", 1)
        var words: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var child = pid_t()
        let code = posix_spawn(&child, program, nil, nil, &words, environ)
        guard code == 0 else { throw FlistError("cannot start \(program)", errno: Errno(rawValue: code)) }
        servedBy = child
        keeper.add(ours)
    }

    /// What is sent to the keeper is meant for the process that serves.
    private func forwardSignals() {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] {
            sigaddset(&set, number)
            signal(number) { number in
                if number != SIGHUP { isStopWanted = true }
                if servedBy > 0 { kill(servedBy, number) }
            }
        }
        // Whoever started the program may have them blocked.
        sigprocmask(SIG_UNBLOCK, &set, nil)
    }
}

// Shared by the keeper's one thread and its signal handlers.
nonisolated(unsafe) private var servedBy: pid_t = 0
/// Whether the process that serves was told to end the mount, or would have been if there had been one.
nonisolated(unsafe) private var isStopWanted = false

extension Deadline {
    fileprivate func advanced(by duration: Duration) -> Deadline {
        Deadline(nanoseconds: nanoseconds + UInt64(duration.components.seconds) * 1_000_000_000)
    }
}
