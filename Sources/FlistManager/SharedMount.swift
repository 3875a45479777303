internal import BlockStore
internal import FlistContent
internal import FlistFileSystem
internal import Support

/// A flist mounted read-only at `ro/<md5>` and served by this process, for all named mounts that show it.
final class SharedMount: Sendable {
    let md5: String
    /// Where it is mounted.
    let path: String
    /// What the Mount that began it said.
    let hint: MountHint
    let flist: OpenFlist
    let mount: FlistMount
    /// What the keeper knows it by. Several of a flist may be about, of which the older ones are only still in use or just
    /// ending, and the kernel gives their device numbers again.
    let key: String

    /// - Parameter key: as the keeper knows it already; nil for a new mount.
    init(md5: String, path: String, hint: MountHint, flist: OpenFlist, mount: FlistMount, key: String? = nil) {
        self.key = key ?? "\(md5) \(String(UInt64.random(in: 0...UInt64.max), radix: 16))"
        self.md5 = md5
        self.path = path
        self.hint = hint
        self.flist = flist
        self.mount = mount
    }
}
