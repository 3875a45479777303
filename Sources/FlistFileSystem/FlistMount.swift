public import FUSESession
public import FlistContent
internal import FlistImage
internal import Glibc
public import Support

extension OpenFlist {
    /// Whether most bytes lie in large files that the cache will hold: four fifths in files of at least 16 MiB.
    var prefersPassthrough: Bool { cache != nil && index.summary.isMostlyLargeFiles }
}

/// A mounted flist, read-only or with a writable overlay on top.
public final class FlistMount: Sendable {
    /// What a mount may be told.
    public struct Options: Sendable {
        /// An empty source stands for the flist's own.
        public var mount = MountOptions(source: "")
        /// A folder whose `upper` takes what is written, and whose `work` overlayfs needs; nil for read-only.
        public var writableFolder: String?
        /// Whether what earlier starts read is fetched ahead, and recorded where that is not known.
        public var usesProfile = true

        public init() {}
    }

    let session: FUSESession
    let flist: OpenFlist

    init(session: FUSESession, flist: OpenFlist) {
        self.session = session
        self.flist = flist
    }

    /// Mounts a flist and serves it from threads of its own. Returns when the mount is usable.
    ///
    /// - Parameters:
    ///   - source: the flist as the user named it, shown in the mount table.
    ///   - target: an existing directory.
    public static func mount(
        _ flist: OpenFlist, source: String, at target: String, options: Options
    ) throws(FlistError) -> FlistMount {
        let fileSystem = FlistFileSystem(flist, source: source)
        var mount = options.mount
        if mount.source.isEmpty { mount.source = source }
        // Only trees with ACLs pay for having them checked.
        mount.aclSupport = flist.index.summary.hasACLs
        if mount.opens == nil {
            mount.opens = flist.prefersPassthrough ? .passthrough : OpenMode.none
            mount.insteadOfPassthrough = .none
        }
        let overlay = try options.writableFolder.map { folder throws(FlistError) in
            try WritableFolder(folder, like: flist).overlay
        }
        let session = try FUSESession.mount(fileSystem, at: target, options: mount, overlay: overlay)
        if options.usesProfile { flist.startProfile() }
        return FlistMount(session: session, flist: flist)
    }

    /// Whether the connection to the kernel has ended, by an unmount or by force.
    public var hasEnded: Bool { session.hasEnded }

    /// How files are opened.
    public var opens: OpenMode { session.opens }

    /// How many requests of which kind have come in so far.
    public var requests: RequestCounters { session.requests }

    /// Opens that were not closed yet, and files that the kernel reads by itself for them; 0 but in passthrough.
    public var openFiles: (opens: Int, passthrough: Int) { session.openFiles }

    /// The file system's number in the mount table; nil if it was gone at once.
    public var device: MountTable.Device? { session.device }

    /// Waits until the mount is gone, by `umount` or by `stop()`.
    public func wait() { session.wait() }

    /// Takes the mount out of the tree and cuts off who still uses it. Returns at once; `wait()` then ends.
    public func stop() throws(FlistError) { try session.detach(force: true) }
}
