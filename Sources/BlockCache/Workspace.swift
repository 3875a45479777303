internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// The process's own folder in `tmp`, made at first use. The lock in it tells others that its owner lives.
final class Workspace: Sendable {
    private struct State: ~Copyable {
        var path: String?
        var lock: FileDescriptor?
        var isClosed = false
    }

    private let folder: CacheFolder
    private let log: FailureLog
    private let state = Mutex(State())
    private let files = Atomic<UInt64>(0)

    init(folder: CacheFolder, log: FailureLog) {
        self.folder = folder
        self.log = log
    }

    /// A path for a file that is renamed later; nil where the disk takes nothing.
    func temporaryPath() -> String? {
        guard let path = path() else { return nil }
        return "\(path)/\(files.add(1, ordering: .relaxed).newValue)"
    }

    /// The folder; nil where the disk takes nothing, which is tried again at the next call.
    func path() -> String? {
        state.withLock { state in
            if state.isClosed { return nil }
            if let path = state.path { return path }
            let name = Hex.encode((0..<8).map { _ in UInt8.random(in: 0...255) })
            let path = "\(folder.temporary)/\(name)"
            // Under the cache's lock, so that nobody takes a folder whose lock is not yet held for a dead one.
            let outcome = folder.withLock { () -> Errno? in
                do throws(Errno) {
                    try CacheFolder.makeFolder(folder.temporary, parents: false)
                    try CacheFolder.makeFolder(path, parents: false)
                    let lock = try FileDescriptor("\(path)/lock", O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
                    let number = lock.number
                    _ = try systemCall { flock(number, LOCK_EX | LOCK_NB) }
                    state.lock = consume lock
                    return nil
                } catch {
                    rmdir(path)
                    return error
                }
            }
            if let outcome {
                log.report("cannot store in the cache \(folder.path): \(outcome); \(CacheCore.remedy(for: outcome))")
                return nil
            }
            state.path = path
            return path
        }
    }

    /// Writes down how many bytes of the ledger are this process's and not yet on disk.
    func record(outstanding: UInt64) {
        state.withLock { state in
            withUnsafeBytes(of: outstanding.littleEndian) { bytes in
                try? state.lock?.write(bytes, at: 0)
            }
        }
    }

    /// Removes the folder; with `abandon` it is left as a killed process would leave it.
    func close(abandon: Bool = false) {
        state.withLock { state in
            state.isClosed = true
            if !abandon, let path = state.path {
                for name in entries(of: path) { unlink("\(path)/\(name)") }
                rmdir(path)
            }
            state.path = nil
            state.lock = nil
        }
    }

    /// What the folders in `tmp` say: bytes that living processes have reserved. Those of the dead are removed.
    ///
    /// Call under the cache's lock.
    static func survey(_ folder: CacheFolder) -> (outstanding: UInt64, removed: Int) {
        var (outstanding, removed): (UInt64, Int) = (0, 0)
        for name in entries(of: folder.temporary) {
            let path = "\(folder.temporary)/\(name)"
            if let lock = try? FileDescriptor("\(path)/lock", O_RDWR | O_NOFOLLOW),
                flock(lock.number, LOCK_EX | LOCK_NB) != 0
            {
                var bytes: UInt64 = 0
                withUnsafeMutableBytes(of: &bytes) { _ = try? lock.read(into: $0, at: 0) }
                outstanding &+= UInt64(littleEndian: bytes)
                continue
            }
            for file in entries(of: path) { unlink("\(path)/\(file)") }
            if rmdir(path) == 0 { removed += 1 }
        }
        return (outstanding, removed)
    }
}
