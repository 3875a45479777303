internal import FUSESession
internal import FlistFileSystem
internal import Glibc
internal import Hub
internal import Logging
internal import Support
internal import Volumes

extension Flister {
    /// Takes over what an earlier run left: what still answers stays, and what is dead is mounted again, with what was
    /// written to it, or taken away where that fails. Call once, before anything else. What fails is logged. Blocks.
    public func recover() {
        // First: readers wait, and the keeper does not wait for ever.
        takeOver()
        // What was written lies there; where no volume is made any more, the next call that needs it fails.
        do throws(FlistError) { try volumes.reopen() } catch {
            logger.error("cannot bring back the volumes", metadata: ["error": "\(error)"])
        }
        do throws(FlistError) {
            let before = try NodeMounts.current(folders)
            // What else has our type was served by a process that is gone: this one holds the lock. Others may live.
            let dead = Set(before.shared.filter { isDead($0.value) }.keys)
            for mount in before.named where isDead(mount, dead) { restore(mount) }
            for md5 in dead where !shared.all.contains(where: { $0.md5 == md5 }) {
                try MountPoint.clear(folders.sharedPath(md5))
            }
        } catch {
            logger.error("cannot take over what an earlier run left", metadata: ["error": "\(error)"])
        }
        clean()
    }

    private func isDead(_ entry: MountTable.Entry) -> Bool {
        (entry.type == MountPoint.ownType && !shared.all.contains { $0.mount.device == entry.device })
            || !MountPoint.answers(entry.mountPoint)
    }

    private func isDead(_ mount: NodeMounts.Named, _ dead: Set<String>) -> Bool {
        if let md5 = mount.md5, dead.contains(md5) { return true }
        // Its lower side may be out of the tree already.
        return isDead(mount.entry)
    }

    private func restore(_ mount: NodeMounts.Named) {
        do throws(FlistError) {
            try names.withLock(mount.name.text) { () throws(FlistError) in
                let path = folders.path(of: mount.name)
                do throws(FlistError) {
                    guard let md5 = mount.md5, access(folders.flistPath(md5), R_OK) == 0 else {
                        throw FlistError(.notFound, "its flist is not on this machine")
                    }
                    let hint = MountHint(of: folders.flistPath(md5))
                    var options = NamedMountOptions()
                    options.readOnly = mount.layers == nil
                    let folder = try mount.layers.map { layers throws(FlistError) in try writableFolder(layers) }
                    // The mount table is all that tells of it: until it can be mounted again it stays there.
                    let choice = stores(hint)
                    let lower = try shared.pin(md5, hint, stores: choice)
                    defer { shared.unpin(lower) }
                    try MountPoint.clear(path)
                    try self.mount(md5, as: mount.name, hint, stores: choice, options, writableIn: folder)
                } catch {
                    try? MountPoint.clear(path)
                    throw error
                }
            }
        } catch {
            // What was written is still in its folder, and there for the next Mount of the name.
            logger.error(
                "a mount of an earlier run is given up", metadata: ["name": "\(mount.name.text)", "error": "\(error)"])
        }
    }

    /// The very folder that the mount wrote to, whosever it is: no store of volumes has to be asked, or to answer.
    private func writableFolder(_ layers: OverlayOptions) throws(FlistError) -> String {
        guard layers.upper.hasSuffix("/rw") else {
            throw FlistError(.unsupported, "its writable folder \(layers.upper) is not one of ours")
        }
        guard access(layers.upper, F_OK) == 0 else {
            throw FlistError(.notFound, "its writable folder \(layers.upper) is not there")
        }
        return String(layers.upper.dropLast("/rw".count))
    }
}
