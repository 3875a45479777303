internal import FUSESession
internal import FlistContent
internal import FlistFileSystem
internal import Glibc
internal import Keeper
internal import Logging
internal import Support

extension SharedMounts {
    /// Goes on serving what an earlier process left with the keeper. Call once, before anything is mounted.
    ///
    /// What cannot be taken over is let go of and fails from then on, so that it is found dead.
    func takeOver(_ items: [KeptItem], stores: (MountHint) -> StoreChoice) {
        for item in items {
            do throws(FlistError) {
                try takeOver(item, stores)
            } catch {
                logger.error("cannot go on with a mount", metadata: ["mount": "\(item.key)", "error": "\(error)"])
                try? keeper?.drop(item.key)
            }
        }
    }

    private func takeOver(_ item: KeptItem, _ stores: (MountHint) -> StoreChoice) throws(FlistError) {
        let kept = KeptSession(state: item.description, descriptors: item.descriptors)
        let md5 = String(item.key.prefix { $0 != " " })
        let (path, source) = (folders.sharedPath(md5), folders.flistPath(md5))
        let hint = MountHint(of: source)
        let flist: OpenFlist
        do throws(FlistError) {
            // The flist itself may be gone: its index is all that is needed.
            flist = try OpenFlist(
                source, sharing: resources, stores: stores(hint), logger: logger, hash: FlistMount.hash(of: kept))
        } catch {
            item.descriptors.forEach { Glibc.close($0) }
            throw error
        }
        do throws(FlistError) {
            let mount = try FlistMount.resume(flist, kept, source: source, options: Self.options)
            let shared = SharedMount(md5: md5, path: path, hint: hint, flist: flist, mount: mount, key: item.key)
            // With its descriptors: the keeper may have let go of it by now.
            keep(shared)
            // Others of the flist may be about that were taken out of the tree before and are still in use.
            if try MountTable.current().find(target: path)?.device == mount.device {
                add(shared)
            } else {
                retire(shared)
            }
            logger.notice("goes on with a mount", metadata: ["flist": "\(md5)"])
        } catch {
            flist.close()
            throw error
        }
    }

    /// Has the keeper hold a mount for the next process.
    func keep(_ mount: SharedMount) {
        guard let keeper, let kept = mount.mount.kept else { return }
        do throws(FlistError) {
            try keeper.keep(KeptItem(key: mount.key, description: kept.state, descriptors: kept.descriptors))
        } catch {
            logger.error("a mount ends with this process", metadata: ["flist": "\(mount.md5)", "error": "\(error)"])
        }
    }
}
