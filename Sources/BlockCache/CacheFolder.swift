internal import CLinux
internal import Glibc
internal import Support

/// Where everything in a cache's folder is, and the few system calls on whole names.
///
///     objects/xx/<name>      complete, and known to be on disk
///     fresh/<name>           complete and verified; whether it is on disk is not known yet
///     partial/xx/<name>      some blocks, the file is sparse; <name>.map says which
///     tmp/<random>/          one per process; files that appear elsewhere by rename; `lock` is held by its process
///     index/                 tree indexes, made by others
///     profile/               what mounted flists read first, made by others
///     scrub                  how far the background check is; held by the process that is at it
///     clock                  what the clocks said when somebody looked last
///     lock                   held for whole-cache work; boot: the boot that `fresh` belongs to; usage: the ledger
struct CacheFolder: Sendable {
    let path: String

    var objects: String { "\(path)/objects" }
    var fresh: String { "\(path)/fresh" }
    var partial: String { "\(path)/partial" }
    var temporary: String { "\(path)/tmp" }
    var index: String { "\(path)/index" }
    var profile: String { "\(path)/profile" }
    var lock: String { "\(path)/lock" }
    var boot: String { "\(path)/boot" }
    var usage: String { "\(path)/usage" }
    var scrub: String { "\(path)/scrub" }
    var clock: String { "\(path)/clock" }

    func object(_ name: ObjectName) -> String { "\(path)/objects/\(name.shard)/\(name)" }
    func fresh(_ name: ObjectName) -> String { "\(path)/fresh/\(name)" }
    func partial(_ name: ObjectName) -> String { "\(path)/partial/\(name.shard)/\(name)" }
    func map(_ name: ObjectName) -> String { "\(path)/partial/\(name.shard)/\(name)\(Self.mapSuffix)" }

    static let mapSuffix = ".map"

    /// The 256 sub-folders of `objects` or `partial` that there may be.
    static func shards(of folder: String) -> [String] {
        (0..<256).map { "\(folder)/\(Hex.encode([UInt8($0)]))" }
    }

    /// Makes the folder and those in it. What is in the way, open to others or of others is refused.
    func prepare() throws(FlistError) {
        do throws(Errno) {
            try Self.makeFolder(path, parents: true)
        } catch {
            throw FlistError("cannot make the cache folder \(path)", errno: error)
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw FlistError("cannot look at the cache folder \(path)", errno: .current)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw FlistError(.invalid, "the cache folder \(path) is not a folder; remove it or name another")
        }
        guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw FlistError(
                .permission, "others may write in the cache folder \(path); make it yours alone (chown, chmod 700)")
        }
        guard isOurs else {
            throw FlistError(
                .exists,
                "\(path) is no cache of flist, and not empty; name a folder of its own, which is made if need be")
        }
        for folder in [objects, fresh, partial, temporary, index] {
            do throws(Errno) {
                try Self.makeFolder(folder, parents: false)
            } catch  where error == .readOnly || error == .noSpace || error == .quotaExceeded {
                // A disk that takes nothing: what is there is served, the rest comes from the stores.
                continue
            } catch {
                throw FlistError("cannot make the cache folder \(folder)", errno: error)
            }
        }
    }

    /// Whether a cache was made there.
    var isThere: Bool { smallFile(boot)?.count == BootID.none.bytes.count }

    /// What others put into a folder must not be taken for contents, and be cleaned away.
    private var isOurs: Bool {
        if isThere { return true }
        // One that was just begun, and the top of a disk of its own (mke2fs makes lost+found).
        let ours: Set = [
            "objects", "fresh", "partial", "tmp", "index", "profile", "lock", "usage", "scrub", "boot", "boot.new",
            "clock", "clock.new", "lost+found",
        ]
        var status = stat()
        // A folder of that name is the machine's: the path was meant for another, such as /.
        guard lstat(boot, &status) != 0 || status.st_mode & S_IFMT == S_IFREG else { return false }
        return entries(of: path).allSatisfy(ours.contains)
    }

    /// Makes a folder of mode 0700; one that is there already is fine.
    static func makeFolder(_ path: String, parents: Bool) throws(Errno) {
        try Folder.make(path, mode: 0o700, parents: parents)
    }

    /// Renames, never over something that is there (EEXIST); makes the folder of `to` where it is missing.
    static func move(_ from: String, to: String) throws(Errno) {
        do throws(Errno) {
            _ = try systemCall { linux_rename_noreplace(from, to) }
        } catch .noEntry {
            guard access(from, F_OK) == 0, let slash = to.lastIndex(of: "/") else { throw .noEntry }
            try makeFolder(String(to[..<slash]), parents: false)
            _ = try systemCall { linux_rename_noreplace(from, to) }
        } catch .invalid {
            // A file system without RENAME_NOREPLACE. Both names stand for the same bytes: replacing does no harm.
            _ = try systemCall { rename(from, to) }
        }
    }

    /// Runs `body` with the lock of the whole cache, across threads and processes. Blocks until it is free.
    ///
    /// Runs it without where the lock file cannot be made, on a disk that takes nothing.
    func withLock<Result>(_ body: () -> Result) -> Result {
        guard let descriptor = try? FileDescriptor(lock, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600) else {
            return body()
        }
        let number = descriptor.number
        _ = try? systemCall { flock(number, LOCK_EX) }
        let result = body()
        flock(number, LOCK_UN)
        return result
    }
}

/// The names in a folder, without `.` and `..`; none if it cannot be read. Blocks.
func entries(of folder: String) -> [String] { Folder.names(in: folder) }
