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
        func uses(folder: String) -> Bool { layers?.upper.hasPrefix(folder + "/") ?? false }
    }

    /// The topmost mount of each name.
    let named: [Named]
    /// The topmost mount of each flist's MD5.
    let shared: [String: MountTable.Entry]

    init(_ table: MountTable, _ folders: NodeFolders) {
        var shared: [String: MountTable.Entry] = [:]
        var named: [String: MountTable.Entry] = [:]
        // Those of other programs may lie below ours, with names that show them.
        var devices: [MountTable.Device: String] = [:]
        for entry in table.entries {
            if let md5 = entry.mountPoint.component(below: folders.shared) {
                shared[md5] = entry
                devices[entry.device] = md5
            }
            if let name = entry.mountPoint.component(below: folders.named) { named[name] = entry }
        }
        self.shared = shared
        self.named = named.compactMap { name, entry in
            guard let name = try? MountName(name) else { return nil }
            let lower = entry.type == "overlay" ? entry.layer("lowerdir") : nil
            // A bind mount has the device of what it shows; an overlay names its lower side. Both keep the flist's
            // path as their source, which tells also when what they show is mounted there no more.
            let md5 =
                lower?.component(below: folders.shared) ?? devices[entry.device]
                ?? entry.source.component(below: folders.flists)
            var layers: OverlayOptions?
            if let upper = entry.layer("upperdir"), let work = entry.layer("workdir") {
                layers = OverlayOptions(upper: upper, work: work)
            }
            return Named(name: name, entry: entry, md5: md5, layers: layers)
        }
    }

    static func current(_ folders: NodeFolders) throws(FlistError) -> NodeMounts {
        NodeMounts(try MountTable.current(), folders)
    }

    func named(_ name: MountName) -> Named? { named.first { $0.name == name } }

    func isUsed(_ md5: String) -> Bool { named.contains { $0.md5 == md5 } }
}

extension MountTable.Entry {
    /// A folder of an overlay. The table shows it as it was given to the kernel: with a backslash before some bytes.
    fileprivate func layer(_ option: String) -> String? {
        guard let text = superOption(option) else { return nil }
        var (path, isEscaped) = ("", false)
        for scalar in text.unicodeScalars {
            isEscaped = scalar == "\\" && !isEscaped
            if !isEscaped { path.unicodeScalars.append(scalar) }
        }
        return path
    }
}

extension String {
    /// The rest of a path directly below a folder; nil if it lies elsewhere or deeper.
    fileprivate func component(below folder: String) -> String? {
        guard hasPrefix(folder + "/") else { return nil }
        let rest = dropFirst(folder.count + 1)
        return rest.isEmpty || rest.contains("/") ? nil : String(rest)
    }
}
