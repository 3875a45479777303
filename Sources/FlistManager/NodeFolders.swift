internal import CLinux
internal import Glibc
internal import Support

/// The folders below a node's root.
struct NodeFolders: Sendable {
    /// An absolute path without symlinks.
    let root: String

    /// Downloaded flists, named by their MD5.
    var flists: String { "\(root)/flist" }
    /// Contents of files, for all flists.
    var cache: String { "\(root)/cache" }
    /// Named mounts, by their names.
    var named: String { "\(root)/mountpoint" }
    /// Mounts that named mounts share, by the MD5 of their flist.
    var shared: String { "\(root)/ro" }

    /// Paths below the root become the sources of mounts, of which the kernel takes 255 bytes.
    private static let longestRoot = 180

    /// Makes what is missing. Blocks.
    init(preparing path: String) throws(FlistError) {
        try Self.make(path, mode: 0o755)
        guard let real = realpath(path, nil) else { throw FlistError("cannot use \(path)", errno: .current) }
        defer { free(real) }
        guard let text = String(validatingCString: real), text.utf8.count <= Self.longestRoot else {
            throw FlistError(
                .usage,
                "cannot use \(path) as the root: its path has more than \(Self.longestRoot) bytes, or is no UTF-8")
        }
        root = text
        // Flists hold the keys to their blocks, the cache holds what they open. `pid` and `log` are where the node's
        // other tools look; nothing is put there.
        let folders: [(path: String, mode: mode_t)] = [
            (flists, 0o700), (cache, 0o700), (named, 0o755), (shared, 0o755), ("\(root)/pid", 0o755),
            ("\(root)/log", 0o755),
        ]
        for folder in folders { try Self.make(folder.path, mode: folder.mode) }
        // The mount table has paths without symlinks: no mount would be found again.
        for folder in [named, shared] {
            var status = stat()
            guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw FlistError(.usage, "cannot mount in \(folder): it is a symlink; make it a folder")
            }
        }
    }

    /// Makes a folder and those above it; its mode is set even if it is there.
    private static func make(_ path: String, mode: mode_t) throws(FlistError) {
        do throws(Errno) {
            try Folder.make(path, mode: 0o755, parents: true)
            _ = try systemCall { chmod(path, mode) }
        } catch {
            throw FlistError("cannot make the folder \(path)", errno: error)
        }
    }

    func path(of name: MountName) -> String { "\(named)/\(name.text)" }

    func sharedPath(_ md5: String) -> String { "\(shared)/\(md5)" }

    func flistPath(_ md5: String) -> String { "\(flists)/\(md5)" }
}

/// Held by the one process that serves a root; the kernel lets go of it when the process ends, however it ends.
struct RootLock: ~Copyable {
    private let file: FileDescriptor

    init(_ folders: NodeFolders) throws(FlistError) {
        file = try Self.lock("\(folders.root)/lock", folders)
    }

    private static func lock(_ path: String, _ folders: NodeFolders) throws(FlistError) -> FileDescriptor {
        do throws(Errno) {
            let file = try FileDescriptor(path, O_RDWR | O_CREAT, mode: 0o600)
            let number = file.number
            _ = try systemCall { flock(number, LOCK_EX | LOCK_NB) }
            return file
        } catch .again {
            throw FlistError(.busy, "another flistd serves \(folders.root); stop it, or choose another --root")
        } catch {
            throw FlistError("cannot lock \(path)", errno: error)
        }
    }
}
