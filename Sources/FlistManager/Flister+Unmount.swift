internal import FUSESession
internal import Logging
public import Support
internal import Volumes

extension Flister {
    /// Unmounts what has the name, and deletes the volume of that name with all that was written to it.
    ///
    /// A name that nothing is mounted under is no error. A folder that was given as a persisted volume stays.
    /// - Throws: `busy` with those who use it when it is in use; nothing is deleted then.
    public func unmount(_ name: String) throws(FlistError) {
        let name = try MountName(name)
        defer { clean() }
        try withName(name) { () throws(FlistError) in
            let path = folders.path(of: name)
            if try NodeMounts.current(folders).named(name) != nil {
                // Also where it is dead: what is in use may still write below an overlay, which outlives its lower side.
                if MountPoint.answers(path) { try MountPoint.unmount(path) } else { try MountPoint.unmountAll(path) }
                logger.info("unmounted", metadata: ["name": "\(name.text)"])
            }
            try MountPoint.remove(path)
            try deleteVolume(of: name)
        }
    }

    /// Unless it is a folder that a caller gave, for this mount or another.
    private func deleteVolume(of name: MountName) throws(FlistError) {
        guard let volume = try volumes.lookup(name.text) else { return }
        guard !PersistedVolume.isMarked(volume.path) else {
            logger.info("a persisted volume stays", metadata: ["name": "\(name.text)", "path": "\(volume.path)"])
            return
        }
        let users = try NodeMounts.current(folders).named.filter { $0.uses(folder: volume.path) }
        if let user = users.first {
            throw FlistError(
                .busy, "cannot delete the volume \(name.text): the mount \(user.name.text) keeps what it writes there")
        }
        try volumes.delete(name.text)
    }
}
