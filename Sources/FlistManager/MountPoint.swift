internal import FUSESession
internal import Glibc
internal import Support
internal import Synchronization

/// A folder to mount on.
enum MountPoint {
    /// The type of the mounts that this program serves.
    static let ownType = "fuse.flist"

    /// Makes it, unless it is there.
    static func make(_ path: String) throws(FlistError) {
        do throws(Errno) {
            _ = try systemCall { mkdir(path, 0o755) }
        } catch .exists {
            return
        } catch {
            throw FlistError("cannot make the folder \(path) to mount on", errno: error)
        }
    }

    /// Removes it, unless it is gone. What somebody put into it while nothing was mounted there is not lost.
    static func remove(_ path: String) throws(FlistError) {
        guard rmdir(path) != 0 else { return }
        let error = Errno.current
        switch error {
        case .noEntry: return
        case .notEmpty, .exists:
            throw FlistError(.exists, "cannot remove \(path): there are files in it, under the mount; move them away")
        default: throw FlistError("cannot remove \(path)", errno: error)
        }
    }

    /// How long to try while a mount is in use and nobody uses it: by a path that is looked up at this moment, or by a
    /// file whose process has ended and that the kernel has yet to close.
    private static let patience = Duration.seconds(2)
    /// The same where somebody uses it: a process that has forked and not yet started its program holds what its parent
    /// had open.
    private static let forkPatience = Duration.milliseconds(200)

    /// Unmounts what is mounted there. Blocks.
    ///
    /// - Throws: `busy` with those who use it when it is in use.
    static func unmount(_ path: String) throws(FlistError) {
        let (deadline, forkPatience) = (Deadline.after(patience), Deadline.after(Self.forkPatience))
        while true {
            do throws(FlistError) {
                return try unmountTop(path)
            } catch {
                guard error.code == .busy else { throw error }
                let below = try MountTable.current().entries.first { $0.mountPoint.hasPrefix(path + "/") }
                if let below {
                    throw FlistError(.busy, "cannot unmount \(path): \(below.mountPoint) is mounted below it")
                }
                let holders = MountHolder.holders(of: path)
                if !holders.isEmpty, forkPatience.hasPassed {
                    let names = holders.map(\.description).joined(separator: ", ")
                    throw FlistError(.busy, "cannot unmount \(path): it is in use by \(names); end them first")
                }
                guard !deadline.hasPassed else { throw error }
                usleep(10_000)
            }
        }
    }

    /// Unmounts everything that is mounted there, from the top.
    ///
    /// - Throws: `busy` with those who use it when it is in use; what lies above that is gone then.
    static func unmountAll(_ path: String) throws(FlistError) {
        try repeatedly(path) { _ throws(FlistError) in
            try unmount(path)
            return true
        }
    }

    /// Takes everything that is mounted there out of the tree, whether it answers or not.
    ///
    /// - Parameter keep: asked for each mount from the top; the first that is kept ends it.
    static func clear(_ path: String, keep: (MountTable.Entry) -> Bool = { _ in false }) throws(FlistError) {
        try repeatedly(path) { top throws(FlistError) in
            if keep(top) { return false }
            try unmountTop(path, lazy: true)
            return true
        }
    }

    /// Calls `body` with what is mounted there on top until nothing is, or it answers false.
    private static func repeatedly(
        _ path: String, _ body: (MountTable.Entry) throws(FlistError) -> Bool
    ) throws(FlistError) {
        // Bounded, since others may mount there at the same time.
        for _ in 0..<64 {
            guard let top = try MountTable.current().find(target: path), try body(top) else { return }
        }
        throw FlistError(.busy, "cannot clear \(path): new mounts appear there all the time")
    }

    /// Whether what is mounted there answers. Blocks for `limit` at most.
    ///
    /// A name that nobody has asked for before reaches the file system below, through an overlay too; one whose server is
    /// gone fails with ENOTCONN or its like. Everything else counts as alive: what does not answer in time may be slow,
    /// and what fails otherwise, such as for want of memory or rights, is there.
    static func answers(_ path: String, within limit: Duration = .seconds(2)) -> Bool {
        let deadline = Deadline.after(limit)
        while true {
            let (outcome, isOurs) = probes.withLock { probes in
                if let running = probes[path] { return (running, false) }
                let new = Monitor<Bool?>(nil)
                probes[path] = new
                return (new, true)
            }
            if isOurs, !probe(path, outcome) { return true }
            guard let isAlive = outcome.wait(until: deadline, for: { $0 }) else { return true }
            // One that began before may have met what was mounted there before.
            if isOurs || isAlive { return isAlive }
        }
    }

    /// What is being probed, by path: a thread that hangs must not get company with each further call.
    private static let probes = Mutex<[String: Monitor<Bool?>]>([:])

    /// On a thread of its own: a file system that hangs must hang nobody else. False if there is none to be had.
    private static func probe(_ path: String, _ outcome: Monitor<Bool?>) -> Bool {
        let name = "\(path)/.flist-probe-\(UInt64.random(in: 0...UInt64.max))"
        do throws(FlistError) {
            try WorkerThread("probe") {
                var status = stat()
                let isAlive = lstat(name, &status) == 0 || ![ENOTCONN, ECONNABORTED, ESTALE].contains(errno)
                end(path, outcome, isAlive)
            }.detach()
            return true
        } catch {
            end(path, outcome, true)
            return false
        }
    }

    private static func end(_ path: String, _ outcome: Monitor<Bool?>, _ isAlive: Bool) {
        probes.withLock { $0[path] = nil }
        outcome.withLock { $0 = isAlive }
        outcome.broadcast()
    }
}

/// The function of FUSESession, which a method of the same name would hide.
private func unmountTop(_ path: String, lazy: Bool = false) throws(FlistError) { try unmount(path, lazy: lazy) }
