internal import Glibc
public import Support

/// A mounted file system and the threads that serve it.
///
/// The mount stays when the session object goes; it ends by `stop`, by an unmount from outside, or with the
/// process. Thread-safe.
public final class FUSESession: Sendable {
    /// Where the tree is seen: an absolute path without symlinks.
    public let target: String
    let core: SessionCore
    /// The device number that the mount table shows for the target, for telling it from other mounts there.
    public let device: MountTable.Device?
    /// The same for the FUSE file system itself, which is not the target's when an overlay lies on top.
    let fuseDevice: MountTable.Device?

    init(target: String, core: SessionCore, device: MountTable.Device?, fuseDevice: MountTable.Device?) {
        self.target = target
        self.core = core
        self.device = device
        self.fuseDevice = fuseDevice
    }

    /// How many requests of which kind have come in so far.
    public var requests: RequestCounters { core.counters }

    /// How files are opened: what was asked for, or what took its place.
    public var opens: OpenMode { core.openMode }

    /// Opens that were not closed yet, and files that the kernel reads by itself for them; 0 but in passthrough.
    public var openFiles: (opens: Int, passthrough: Int) { (core.opens.count, core.backingFiles?.held ?? 0) }

    /// Whether the connection to the kernel has ended.
    public var hasEnded: Bool { core.workers.withLock { $0.hasEnded } }

    /// Blocks until the file system is unmounted, by whomever, and every worker has ended.
    public func wait() { core.workers.wait { $0.hasEnded ? () : nil } }

    /// As `wait`, but false once the deadline has passed.
    public func wait(until deadline: Deadline) -> Bool {
        core.workers.wait(until: deadline) { $0.hasEnded ? true : nil } ?? false
    }
}
