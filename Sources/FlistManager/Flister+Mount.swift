internal import FUSESession
internal import FlistContent
internal import Hub
internal import Logging
public import Support

extension Flister {
    /// Mounts a flist under a name; answers where. A mount of that name that is there already is left as it is.
    ///
    /// - Parameters:
    ///   - url: an http, https or file address, or one relative to the hub's.
    /// - Throws: one line that names what failed; nothing is left behind then.
    public func mount(_ name: String, url: String, options: NamedMountOptions) throws(FlistError) -> String {
        let name = try mountName(name)
        let url = address(of: url)
        defer { clean() }
        return try withName(name) { () throws(FlistError) in
            let path = folders.path(of: name)
            if try isMounted(name) { return path }
            let (flist, choice): (HubFlist, StoreChoice)
            do throws(FlistError) {
                choice = try stores(options.storage)
                flist = try hub.fetch(url)
            } catch {
                throw Self.flistFailure(error, url)
            }
            let hint = MountHint(storage: options.storage, url: FlistLocation.shown(url))
            try mount(flist.md5, as: name, hint, stores: choice, options)
            return path
        }
    }

    /// Mounts a flist that is on this machine under a name. Under the name's lock.
    ///
    /// - Parameters:
    ///   - stores: those of the hint.
    ///   - folder: takes what is written, in place of what the options say; neither made nor marked.
    func mount(
        _ md5: String, as name: MountName, _ hint: MountHint, stores: StoreChoice, _ options: NamedMountOptions,
        writableIn folder: String? = nil
    ) throws(FlistError) {
        let mount: SharedMount
        do throws(FlistError) {
            mount = try shared.pin(md5, hint, stores: stores)
        } catch {
            throw Self.flistFailure(error, hint.url)
        }
        defer { shared.unpin(mount) }
        let path = folders.path(of: name)
        try MountPoint.make(path)
        do throws(FlistError) {
            if options.readOnly {
                try BindMount.mountReadOnly(mount.path, at: path, noDev: true)
            } else if let folder {
                try overlay(mount, in: folder, at: path)
            } else {
                try mountWritable(name, mount, at: path, options)
            }
        } catch {
            try? MountPoint.remove(path)
            throw error
        }
        logger.info(
            "mounted", metadata: ["name": "\(name.text)", "flist": "\(md5)", "url": "\(hint.url)"])
    }

    /// Whether something is mounted under the name and answers; a mount that is dead is taken away first.
    func isMounted(_ name: MountName) throws(FlistError) -> Bool {
        let path = folders.path(of: name)
        guard try NodeMounts.current(folders).named(name) != nil else { return false }
        if MountPoint.answers(path) { return true }
        logger.warning("a dead mount is taken away", metadata: ["name": "\(name.text)"])
        try MountPoint.clear(path)
        return false
    }

    /// The texts of callers' making: `invalid mountpoint: invalid mount name`.
    func mountName(_ name: String) throws(FlistError) -> MountName {
        do throws(FlistError) {
            return try MountName(name)
        } catch {
            throw FlistError(error.code, "invalid mountpoint", cause: error)
        }
    }

    private static func flistFailure(_ error: FlistError, _ url: String) -> FlistError {
        let address = FlistLocation.shown(url)
        let text = error.description.contains(address) ? error.description : "\(error) (\(address))"
        return FlistError(error.code, "ro mount of flist failed: \(text)")
    }
}
