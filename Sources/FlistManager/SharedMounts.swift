internal import FUSESession
internal import FlistContent
internal import FlistFileSystem
internal import Glibc
internal import Keeper
internal import Logging
internal import Support
internal import Synchronization

/// The flists that this process serves: each mounted once, however many named mounts show it.
///
/// Thread-safe. A flist's mount is made by the first that needs it, and unmounted once no named mount shows it.
final class SharedMounts: Sendable {
    private struct State {
        var mounts: [String: SharedMount] = [:]
        /// How many are about to make a named mount of it.
        var pins: [String: Int] = [:]
        /// Unmounted, but still in use somewhere.
        var retired: [ObjectIdentifier: SharedMount] = [:]
        /// What those that are gone have done: counts never go back.
        var past = StoreSums()

        var all: [SharedMount] { Array(mounts.values) + Array(retired.values) }
    }

    let folders: NodeFolders
    let resources: ContentResources
    let logger: Logger
    /// Holds the mounts for the next process; nil where they end with this one.
    let keeper: NodeKeeper?
    private let state = Mutex(State())
    private let locks = KeyedLocks()

    init(_ folders: NodeFolders, _ resources: ContentResources, keeper: NodeKeeper?, logger: Logger) {
        self.folders = folders
        self.resources = resources
        self.logger = logger
        self.keeper = keeper
    }

    /// Those mounted, and those that only their last users keep alive, in no order.
    var all: [SharedMount] { state.withLock { $0.all } }

    /// What reading has cost since the start of the process.
    var sums: StoreSums {
        state.withLock { state in
            var sums = state.past
            for mount in state.all { sums.add(mount.flist) }
            return sums
        }
    }

    /// Mounts a flist if it is not mounted, and keeps it mounted until `unpin`.
    ///
    /// - Parameters:
    ///   - hint: noted for the next start if this mounts it; else what was noted when it was mounted stays true.
    ///   - stores: those of the hint.
    func pin(_ md5: String, _ hint: MountHint, stores: StoreChoice) throws(FlistError) -> SharedMount {
        try locks.withLock(md5) { () throws(FlistError) in
            let mount: SharedMount
            if let live = try live(md5) {
                mount = live
                // The file may have been downloaded again.
                live.hint.write(on: folders.flistPath(md5))
            } else {
                mount = try start(md5, hint, stores: stores)
            }
            state.withLock { $0.pins[md5, default: 0] += 1 }
            return mount
        }
    }

    /// Ends what `pin` began: from now on only named mounts keep it.
    func unpin(_ mount: SharedMount) {
        state.withLock { state in
            let left = (state.pins[mount.md5] ?? 1) - 1
            state.pins[mount.md5] = left > 0 ? left : nil
        }
    }

    /// The mount that is there and answers. Under the flist's lock.
    private func live(_ md5: String) throws(FlistError) -> SharedMount? {
        guard let mount = state.withLock({ $0.mounts[md5] }) else { return nil }
        let entry = try MountTable.current().find(target: mount.path)
        if !mount.mount.hasEnded, let entry, entry.device == mount.mount.device { return mount }
        // Cut off or unmounted by someone else.
        logger.warning("a mount was ended by someone else", metadata: ["flist": "\(md5)", "path": "\(mount.path)"])
        retire(mount)
        return nil
    }

    static var options: FlistMount.Options {
        var options = FlistMount.Options()
        options.mount.noSuid = true
        options.mount.noDev = true
        return options
    }

    func add(_ mount: SharedMount) { state.withLock { $0.mounts[mount.md5] = mount } }

    /// Under the flist's lock.
    private func start(_ md5: String, _ hint: MountHint, stores: StoreChoice) throws(FlistError) -> SharedMount {
        let (path, source) = (folders.sharedPath(md5), folders.flistPath(md5))
        // Before it is read: a file that changes is read anew to be trusted.
        hint.write(on: source)
        // Another program's mount that answers stays below ours: names show it, and are known by it.
        try MountPoint.clear(path) { $0.type != MountPoint.ownType && MountPoint.answers(path) }
        try MountPoint.make(path)
        do throws(FlistError) {
            let flist = try OpenFlist(source, sharing: resources, stores: stores, logger: logger)
            do throws(FlistError) {
                let mount = try FlistMount.mount(flist, source: source, at: path, options: Self.options)
                let shared = SharedMount(md5: md5, path: path, hint: hint, flist: flist, mount: mount)
                add(shared)
                keep(shared)
                logger.info("mounted a flist", metadata: ["flist": "\(md5)", "url": "\(hint.url)"])
                return shared
            } catch {
                flist.close()
                throw error
            }
        } catch {
            rmdir(path)
            throw error
        }
    }

    /// Unmounts what no named mount shows, also what an earlier process or program left. Blocks.
    func unmountUnused() throws(FlistError) {
        let before = try NodeMounts.current(folders)
        let known = state.withLock { Array($0.mounts.keys) }
        let candidates = Set(known).union(before.shared.keys).union(Folder.names(in: folders.shared))
        for md5 in candidates where !before.isUsed(md5) {
            // Whoever holds the lock is about to use it.
            _ = try locks.withLockIfFree(md5) { () throws(FlistError) in try unmountIfUnused(md5) }
        }
    }

    private func unmountIfUnused(_ md5: String) throws(FlistError) {
        guard state.withLock({ $0.pins[md5] == nil }) else { return }
        let now = try NodeMounts.current(folders)
        guard !now.isUsed(md5) else { return }
        let path = folders.sharedPath(md5)
        if now.shared[md5] != nil {
            do throws(FlistError) {
                try MountPoint.unmountAll(path)
            } catch {
                // Somebody looks into it; the next cleaning tries again.
                logger.info("an unused mount stays", metadata: ["path": "\(path)", "error": "\(error)"])
                return
            }
            logger.info("unmounted a flist", metadata: ["flist": "\(md5)"])
        }
        rmdir(path)
        if let mount = state.withLock({ $0.mounts[md5] }) { retire(mount) }
    }

    /// Goes on serving until the last user is gone, then lets go of what the mount holds.
    func retire(_ mount: SharedMount) {
        let key = ObjectIdentifier(mount)
        state.withLock { state in
            if state.mounts[mount.md5] === mount { state.mounts[mount.md5] = nil }
            state.retired[key] = mount
        }
        let end: @Sendable () -> Void = { [self] in
            mount.mount.wait()
            try? keeper?.drop(mount.key)
            mount.flist.close()
            state.withLock { state in
                state.retired[key] = nil
                state.past.add(mount.flist)
            }
        }
        do throws(FlistError) {
            try WorkerThread("retire", end).detach()
        } catch {
            logger.error(
                "cannot wait for the end of a mount", metadata: ["flist": "\(mount.md5)", "error": "\(error)"])
        }
    }

    /// Lets go of all flists; their mounts stay where they are, without anyone who answers. Where there is a keeper
    /// nothing is let go of: each read under way would be answered with an error.
    func close() {
        guard keeper == nil else { return }
        for mount in all { mount.flist.close() }
    }
}
