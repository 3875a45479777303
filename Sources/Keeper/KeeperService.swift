internal import CLinux
internal import Glibc
public import Support

/// A keeper in a process of its own that outlives whoever started it: for a service that its init starts again.
public enum KeeperService {
    /// The name under which the program is that process: its first argument as execve(2) gives it.
    public static let programName = "flist-keeper"
    /// Where it finds its listening socket.
    private static let listenerNumber: Int32 = 3

    /// Connects to the keeper at a path and takes what it holds; starts one where none answers. Blocks.
    ///
    /// Only one process may call this for a path at a time.
    /// - Parameters:
    ///   - path: of a socket for this user alone, made if it is missing.
    ///   - patience: how long a new keeper waits for the next process.
    public static func open(
        _ path: String, patience: Duration
    ) throws(FlistError) -> (link: KeeperLink, items: [KeptItem]) {
        if let link = try? connect(path), let items = try? link.take() { return (link, items) }
        do throws(Errno) {
            let listener = try listen(path)
            // Before it runs: it ends once nobody is connected.
            let connection = try connection(to: path)
            let child = try start(listener, patience)
            return (KeeperLink(owning: connection, child: child), [])
        } catch {
            throw FlistError("cannot start a keeper at \(path)", errno: error)
        }
    }

    /// What the program does under `programName`; ends when nothing is held and nobody is connected.
    public static func main() -> Int32 {
        guard CommandLine.arguments.count == 2, let seconds = Int64(CommandLine.arguments[1]) else { return 2 }
        _ = linux_prctl_set_name(programName)
        // Init, or whoever turns logs, may send what is meant for the service to all its processes.
        for number in [SIGHUP, SIGINT] { signal(number, SIG_IGN) }
        _ = fcntl(listenerNumber, F_SETFD, FD_CLOEXEC)
        let keeper = Keeper(
            patience: .seconds(seconds), listener: FileDescriptor(owning: listenerNumber))
        // Whoever starts it has connected before.
        keeper.step(limit: .seconds(seconds))
        while !keeper.isEmpty || !keeper.isAlone { keeper.step() }
        return 0
    }

    private static func start(_ listener: borrowing FileDescriptor, _ patience: Duration) throws(Errno) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, listener.number, listenerNumber)
        linux_spawn_close_from(&actions, listenerNumber + 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // POSIX_SPAWN_SETSID (0x80), which Glibc shows with _GNU_SOURCE only: no signal to our group is meant for it.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | 0x80)
        let arguments = [programName, String(patience.components.seconds)]
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var process = pid_t()
        let code = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, &words, environ)
        guard code == 0 else { throw Errno(rawValue: code) }
        return process
    }

    static func listen(_ path: String) throws(Errno) -> FileDescriptor {
        let listener = try socket()
        let number = listener.number
        // Linux gives a socket's file the mode of the socket: nobody can connect before it is private.
        _ = try systemCall { fchmod(number, 0o600) }
        unlink(path)
        try withAddress(path) { address, length throws(Errno) in
            _ = try systemCall { bind(number, address, length) }
        }
        _ = try systemCall { Glibc.listen(number, 4) }
        return listener
    }

    static func connect(_ path: String) throws(Errno) -> KeeperLink {
        KeeperLink(owning: try connection(to: path))
    }

    private static func connection(to path: String) throws(Errno) -> FileDescriptor {
        let connection = try socket()
        let number = connection.number
        try withAddress(path) { address, length throws(Errno) in
            _ = try systemCall { Glibc.connect(number, address, length) }
        }
        return connection
    }

    private static func socket() throws(Errno) -> FileDescriptor {
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        return FileDescriptor(owning: try systemCall { Glibc.socket(AF_UNIX, kind, 0) })
    }

    /// An address holds few bytes: the folder is named by its descriptor.
    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Void
    ) throws(Errno) {
        guard let slash = path.lastIndex(of: "/") else { throw .invalid }
        let folder = try FileDescriptor(String(path[...slash]), linux_o_path | O_DIRECTORY)
        let name = Array("/proc/self/fd/\(folder.number)/\(path[path.index(after: slash)...])".utf8) + [0]
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard name.count <= MemoryLayout.size(ofValue: address.sun_path) else { throw .nameTooLong }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        try withUnsafePointer(to: address) { pointer throws(Errno) in
            try body(
                UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_un>.size))
        }
        withExtendedLifetime(folder) {}
    }
}
