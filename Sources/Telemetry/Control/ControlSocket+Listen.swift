internal import CLinux
internal import Glibc
internal import Support

extension ControlSocket {
    /// Clients that the kernel holds for us.
    private static let backlog: Int32 = 64

    /// Makes a listening socket.
    static func listen(_ path: String) throws(FlistError) -> FileDescriptor {
        let (parent, name) = UnixAddress.split(path)
        guard !name.isEmpty, name != ".", name != ".." else {
            throw FlistError(.usage, "the control socket needs the path of a file, not '\(path)'")
        }
        let refusal: (FlistError.Code, why: String)
        do throws(Errno) {
            let folder = try FileDescriptor(parent, O_RDONLY | O_DIRECTORY)
            let number = folder.number
            // Two processes that both find a dead socket must not remove each other's new one.
            switch try lock(number) ? occupant(path, name, in: number) : .locked {
            case .nobody: return try bind(path)
            case .dead:
                _ = try systemCall { unlinkat(number, name, 0) }
                return try bind(path)
            case .alive: refusal = (.busy, "another process answers there")
            case .other: refusal = (.exists, "a file is there that is no socket")
            case .locked: refusal = (.busy, "\(parent) is locked by another process")
            }
        } catch .nameTooLong {
            refusal = (.usage, "its name is too long")
        } catch {
            throw FlistError("cannot make the control socket \(path)", errno: error)
        }
        throw FlistError(refusal.0, "cannot make the control socket \(path): \(refusal.why)")
    }

    private static func lock(_ folder: Int32) throws(Errno) -> Bool {
        let deadline = Deadline.after(.seconds(5))
        while flock(folder, LOCK_EX | LOCK_NB) != 0 {
            guard Errno.current.rawValue == EWOULDBLOCK else { throw .current }
            guard !deadline.hasPassed else { return false }
            usleep(20_000)
        }
        return true
    }

    /// What is at a socket's path.
    private enum Occupant {
        case nobody
        /// A socket whose process has ended.
        case dead
        case alive
        /// A file of another kind.
        case other
        /// Unknown: somebody else is looking, too.
        case locked
    }

    private static func occupant(_ path: String, _ name: String, in folder: Int32) throws(Errno) -> Occupant {
        var status = stat()
        guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            guard Errno.current == .noEntry else { throw .current }
            return .nobody
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return .other }
        let probe = try socket()
        do throws(Errno) {
            try connect(probe.number, path)
            return .alive
        } catch .connectionRefused {
            return .dead
        } catch .again {
            // It is only slow.
            return .alive
        }
    }

    private static func bind(_ path: String) throws(Errno) -> FileDescriptor {
        let listener = try socket()
        let number = listener.number
        // Linux gives a socket's file the mode of the socket: nobody can connect before it is private.
        _ = try systemCall { fchmod(number, 0o600) }
        let address = try UnixAddress(path)
        _ = try address.withPointer { pointer, length throws(Errno) in
            try systemCall { Glibc.bind(number, pointer, length) }
        }
        _ = try systemCall { Glibc.listen(number, backlog) }
        return listener
    }

    /// One that does not block.
    static func socket() throws(Errno) -> FileDescriptor {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        return FileDescriptor(owning: try systemCall { Glibc.socket(AF_UNIX, kind, 0) })
    }

    /// Answers at once; `again` when the other side has too many waiting already.
    static func connect(_ socket: Int32, _ path: String) throws(Errno) {
        let address = try UnixAddress(path)
        _ = try address.withPointer { pointer, length throws(Errno) in
            try systemCall { Glibc.connect(socket, pointer, length) }
        }
    }
}
