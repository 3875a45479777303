internal import CLinux
internal import Glibc
internal import Support

/// A file that is being filled, and goes with its owner unless it was renamed.
///
/// Its lock tells other processes that its owner lives. Not the number of a process in the name: that would be
/// another's after a restart, or in another container.
struct TemporaryFile: ~Copyable {
    static let prefix = ".tmp-"

    let path: String
    let descriptor: FileDescriptor

    /// Makes an empty file in `folder`, with mode 0600.
    init(in folder: String) throws(Errno) {
        while true {
            let name = Hex.encode((0..<8).map { _ in UInt8.random(in: 0...255) })
            let path = "\(folder)/\(Self.prefix)\(name)"
            let file = try FileDescriptor(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
            // Somebody who clears up may have come between: then it is theirs.
            if flock(file.number, LOCK_EX | LOCK_NB) == 0, access(path, F_OK) == 0 {
                self.path = path
                descriptor = file
                return
            }
        }
    }

    deinit { unlink(path) }

    /// Removes what ended processes left; answers how many files.
    @discardableResult
    static func removeAbandoned(in folder: String) -> Int {
        Folder.names(in: folder).count { name in
            let path = "\(folder)/\(name)"
            guard name.hasPrefix(prefix), let file = try? FileDescriptor(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK),
                flock(file.number, LOCK_EX | LOCK_NB) == 0
            else { return false }
            return unlink(path) == 0
        }
    }
}
