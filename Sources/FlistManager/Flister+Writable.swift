internal import FUSESession
internal import FlistFileSystem
internal import Logging
internal import Support
internal import Volumes

extension Flister {
    /// Lays an overlay over a flist, with its writable side in a volume or in a folder of the caller's.
    ///
    /// A volume that was made here goes with a failure; one that was there stays.
    func mountWritable(
        _ name: MountName, _ mount: SharedMount, at path: String, _ options: NamedMountOptions
    ) throws(FlistError) {
        guard options.persistedVolume.isEmpty else {
            let folder = try PersistedVolume(options.persistedVolume)
            // One at a time: a mark that is taken back must not be one that another Mount has found there.
            return try persisted.withLock("") { () throws(FlistError) in
                let marks = try folder.mark()
                do throws(FlistError) {
                    try overlay(mount, in: folder.path, at: path)
                } catch {
                    // Else the volume of another mount would not be deleted with it.
                    PersistedVolume.takeBack(marks)
                    throw error
                }
            }
        }
        if let volume = try volumes.lookup(name.text) { return try overlay(mount, in: volume.path, at: path) }
        guard options.limit > 0 else {
            throw FlistError(.usage, "invalid mount option, missing disk type")
        }
        let volume: Volume
        do throws(FlistError) {
            volume = try volumes.create(name.text, limit: options.limit)
        } catch {
            throw FlistError(error.code, "failed to create read-write subvolume for 0-fs: \(error)")
        }
        do throws(FlistError) {
            try overlay(mount, in: volume.path, at: path)
        } catch {
            do throws(FlistError) {
                try volumes.delete(name.text)
            } catch {
                logger.error(
                    "cannot delete the volume of a failed mount",
                    metadata: ["name": "\(name.text)", "error": "\(error)"])
            }
            throw error
        }
    }

    /// Lays an overlay over a flist, with its writable side in a folder, of which what is missing is made.
    func overlay(_ mount: SharedMount, in folder: String, at path: String) throws(FlistError) {
        let writable = try WritableFolder(folder, upper: "rw", work: "wd", like: mount.flist)
        // Setuid programs work in containers; device nodes are their runtime's to give.
        try Overlay.mount(
            lower: mount.path, upper: writable.overlay.upper, work: writable.overlay.work, at: path,
            source: folders.flistPath(mount.md5), noDev: true, noAtime: true)
    }
}
