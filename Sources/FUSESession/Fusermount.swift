internal import CLinux
internal import Glibc
internal import Support

/// The set-user-id helper of libfuse that mounts and unmounts for ordinary users.
enum Fusermount {
    /// Its path, from the places where libfuse itself and PATH have it.
    static func find() -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let folders = path.split(separator: ":").map(String.init) + ["/usr/bin", "/bin", "/usr/local/bin"]
        return folders.map { "\($0)/fusermount3" }.first { access($0, X_OK) == 0 }
    }

    /// Runs it and waits; answers its exit status and the first line of what it complained about.
    static func run(_ helper: String, _ arguments: [String]) throws(FlistError) -> (status: Int32, message: String) {
        var pipe: [Int32] = [-1, -1]
        guard linux_pipe2(&pipe, O_CLOEXEC) == 0 else { throw FlistError("cannot run \(helper)", errno: .current) }
        let output = FileDescriptor(owning: pipe[0])
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, pipe[1], 2)
        let words = ([helper] + arguments).map { strdup($0) }
        var process = pid_t()
        let code = posix_spawn(&process, helper, &actions, nil, words + [nil], environ)
        words.forEach { free($0) }
        posix_spawn_file_actions_destroy(&actions)
        close(pipe[1])
        guard code == 0 else { throw FlistError("cannot run \(helper)", errno: Errno(rawValue: code)) }
        var message = [UInt8](repeating: 0, count: 1024)
        let number = output.number
        var used = 0
        while used < message.count {
            let count = message.withUnsafeMutableBytes {
                Glibc.read(number, $0.baseAddress.map { $0 + used }, 1024 - used)
            }
            if count <= 0 { break }
            used += count
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        let line = message.prefix(used).prefix { $0 != UInt8(ascii: "\n") }
        let exited = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f)
        return (exited, String(decoding: line, as: UTF8.self))
    }
}
