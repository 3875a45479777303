internal import FUSESession
internal import Hub
public import Support
internal import Volumes

extension Flister {
    /// Changes the limit of what may be written below a named mount; answers where it is mounted.
    ///
    /// - Parameter limit: in bytes. Less than what is in use is refused, with both figures.
    public func updateMountSize(_ name: String, limit: UInt64) throws(FlistError) -> String {
        let name = try mountName(name)
        return try withName(name) { () throws(FlistError) in
            let path = folders.path(of: name)
            guard let mount = try NodeMounts.current(folders).named(name) else {
                throw FlistError(.notFound, "flist not mounted: nothing is mounted at \(path)")
            }
            guard let layers = mount.layers else {
                throw FlistError(.usage, "cannot limit \(name.text): it is mounted read-only")
            }
            guard let volume = try volumes.lookup(name.text), mount.uses(folder: volume.path) else {
                throw FlistError(
                    .usage,
                    "cannot limit \(name.text): what it writes goes to \(layers.upper), a folder without a limit")
            }
            try volumes.update(name.text, limit: limit)
            return path
        }
    }

    /// The MD5 of the flist that is mounted under the last component of a path.
    public func hashFromRootPath(_ path: String) throws(FlistError) -> String {
        let name = try MountName(baseOf: path)
        guard let mount = try NodeMounts.current(folders).named(name) else {
            throw FlistError(.notFound, "path is not a mountpoint")
        }
        guard let md5 = mount.md5 else { throw FlistError(.notFound, "could not find rootfs hash name") }
        return md5
    }

    /// The MD5 that the hub gives for a flist, without fetching it.
    public func flistHash(_ url: String) throws(FlistError) -> String { try hub.hash(address(of: url)) }

    /// Whether something is mounted under the name. What is dead is taken away, as for a new mount.
    public func exists(_ name: String) throws(FlistError) -> Bool {
        let name = try mountName(name)
        guard try NodeMounts.current(folders).named(name) != nil else { return false }
        if MountPoint.answers(folders.path(of: name)) { return true }
        return try withName(name) { () throws(FlistError) in try isMounted(name) }
    }
}
