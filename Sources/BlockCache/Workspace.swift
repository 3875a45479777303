internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// The process's own folder in `tmp`, made at first use. The lock in it tells others that its owner lives.
final class Workspace: Sendable {
    private struct State {
        var path: String?
        var lock: Int32 = -1
        var isClosed = false
    }

    private let folder: CacheFolder
    private let log: FailureLog
    private let state = Mutex(State())
    private let making = Mutex<Void>(())
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
        if let path = state.withLock({ $0.path }) { return path }
        return making.withLock { _ in
            let (known, isClosed) = state.withLock { ($0.path, $0.isClosed) }
            if isClosed || known != nil { return known }
            return make()
        }
    }

    /// Under the cache's lock, so that nobody takes a folder whose lock is not yet held for a dead one. Not under the
    /// state's, which those who have the cache's lock take.
    private func make() -> String? {
        let path = "\(folder.temporary)/\(Hex.encode((0..<8).map { _ in UInt8.random(in: 0...255) }))"
        let outcome = folder.withLock { () -> Errno? in
            do throws(Errno) {
                try CacheFolder.makeFolder(folder.temporary, parents: false)
                try CacheFolder.makeFolder(path, parents: false)
                let lock = try FileDescriptor("\(path)/lock", O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
                let number = lock.number
                _ = try systemCall { flock(number, LOCK_EX | LOCK_NB) }
                _ = lock.release()
                state.withLock { state in
                    state.path = path
                    state.lock = number
                }
                return nil
            } catch {
                rmdir(path)
                return error
            }
        }
        guard let outcome else { return path }
        log.report("cannot store in the cache \(folder.path): \(outcome); \(CacheCore.remedy(for: outcome))")
        return nil
    }

    /// Writes down how many bytes of the ledger are this process's and not yet on disk.
    func record(outstanding: UInt64) {
        state.withLock { state in
            guard state.lock >= 0 else { return }
            var bytes = outstanding.littleEndian
            pwrite(state.lock, &bytes, 8, 0)
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
            if state.lock >= 0 { Glibc.close(state.lock) }
            state.lock = -1
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
                outstanding = min(outstanding, 1 << 60) + min(UInt64(littleEndian: bytes), 1 << 60)
                continue
            }
            for file in entries(of: path) { unlink("\(path)/\(file)") }
            if rmdir(path) == 0 { removed += 1 }
        }
        return (outstanding, removed)
    }
}
