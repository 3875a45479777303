internal import FUSESession
internal import Support

/// What the kernel's mount table says of a node: its only state.
struct NodeMounts {
    /// A mount under a name.
    struct Named {
        let name: MountName
        let entry: MountTable.Entry
        /// Whose content it shows; nil if that cannot be told.
        let md5: String?
        /// The folders of an overlay; nil for a bind mount.
        let layers: OverlayOptions?

        /// Whether what is written goes below a folder.
        func uses(folder: String) -> Bool { layers?.upper.utf8.starts(with: (folder + "/").utf8) ?? false }
    }

    /// The topmost mounts.
    private let byName: [MountName: Named]
    /// The topmost mount of each flist's MD5.
    let shared: [String: MountTable.Entry]

    init(_ table: MountTable, _ folders: NodeFolders) {
        var shared: [String: MountTable.Entry] = [:]
        var named: [MountName: MountTable.Entry] = [:]
        // Those of other programs may lie below ours, with names that show them.
        var devices: [MountTable.Device: String] = [:]
        for entry in table.entries {
            if let md5 = entry.mountPoint.component(below: folders.shared) {
                shared[md5] = entry
                devices[entry.device] = md5
            }
            if let name = entry.mountPoint.component(below: folders.named).flatMap({ try? MountName($0) }) {
                named[name] = entry
            }
        }
        self.shared = shared
        var byName: [MountName: Named] = [:]
        for (name, entry) in named {
            let lower = entry.type == "overlay" ? entry.overlayFolder("lowerdir") : nil
            // A bind mount has the device of what it shows; an overlay names its lower side. Both keep the flist's
            // path as their source, which tells also when what they show is mounted there no more.
            let md5 =
                lower?.component(below: folders.shared) ?? devices[entry.device]
                ?? entry.source.component(below: folders.flists)
            var layers: OverlayOptions?
            if let upper = entry.overlayFolder("upperdir"), let work = entry.overlayFolder("workdir") {
                layers = OverlayOptions(upper: upper, work: work)
            }
            byName[name] = Named(name: name, entry: entry, md5: md5, layers: layers)
        }
        self.byName = byName
    }

    static func current(_ folders: NodeFolders) throws(FlistError) -> NodeMounts {
        NodeMounts(try MountTable.current(), folders)
    }

    /// In no order.
    var named: [Named] { Array(byName.values) }

    func named(_ name: MountName) -> Named? { byName[name] }

    func isUsed(_ md5: String) -> Bool { byName.values.contains { $0.md5 == md5 } }
}

extension String {
    /// The rest of a path directly below a folder; nil if it lies elsewhere or deeper.
    fileprivate func component(below folder: String) -> String? {
        // By bytes: a name may begin with what Unicode takes for a part of the slash.
        guard utf8.starts(with: (folder + "/").utf8) else { return nil }
        let rest = utf8.dropFirst(folder.utf8.count + 1)
        return rest.isEmpty || rest.contains(UInt8(ascii: "/")) ? nil : String(rest)
    }
}
