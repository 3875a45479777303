public import Logging
public import Support
internal import Synchronization

/// Volumes in a pool of btrfs subvolumes, each with a limit that the kernel keeps. Needs root and Linux 5.9.
///
/// The pool is the folder `volumes` in the root where that is on btrfs. Elsewhere it is an image beside that folder,
/// `volumes.img`, a sparse file that grows, mounted there when it is needed first. Nothing is made before the first
/// volume; what an earlier run left is taken over. A process must not have two stores with one root at work, and
/// should keep other processes away from it.
///
/// A write past the limit gets `EDQUOT`, and what was written before stays whole. Data and directories count;
/// so do the parts of them that are rewritten, until the next commit, because btrfs never writes in place.
public final class BtrfsVolumeStore: VolumeStore {
    public struct Options: Sendable {
        /// Bytes of a new image, 1 GiB unless told; it grows, and takes up only what is in use.
        public var imageSize: UInt64 = 1 << 30

        public init() {}
    }

    private let place: PoolPlace
    private let turns: Turns
    private let state = Mutex(State())

    private struct State {
        var pool: Pool?
        /// What this store has mounted or taken over.
        var image: PoolImage?
    }

    /// Makes nothing yet.
    ///
    /// - Parameter root: an absolute path; made with mode 0755 if only its last folder is missing.
    public init(root: String, options: Options = Options(), logger: Logger) throws(FlistError) {
        guard root.hasPrefix("/"), !root.utf8.contains(0) else {
            throw FlistError(.usage, "cannot keep volumes in \"\(root)\": give an absolute path")
        }
        // mkfs.btrfs refuses less than 45 MiB.
        guard options.imageSize >= 64 << 20 else {
            throw FlistError(.usage, "an image for volumes needs 64 MiB, not \(ByteCount(options.imageSize))")
        }
        turns = Turns()
        place = PoolPlace(root: root, imageSize: options.imageSize, turns: turns, logger: logger)
    }

    public func create(_ name: String, limit: UInt64) throws(FlistError) -> Volume {
        try checkVolumeName(name)
        return try turns.take(.volume(name)) { () throws(FlistError) in
            guard let pool = try open(making: true, writing: true) else {
                throw FlistError(.io, "cannot create volume \(name): there is no pool in \(place.root)")
            }
            return try pool.create(name, limit: limit)
        }
    }

    public func update(_ name: String, limit: UInt64) throws(FlistError) {
        try checkVolumeName(name)
        try turns.take(.volume(name)) { () throws(FlistError) in
            guard let pool = try open(writing: true) else {
                throw FlistError(.notFound, "there is no volume \(name) in \(place.root)")
            }
            try pool.update(name, limit: limit)
        }
    }

    public func lookup(_ name: String) throws(FlistError) -> Volume? {
        try checkVolumeName(name)
        return try turns.take(.volume(name)) { () throws(FlistError) in
            try open()?.lookup(name)
        }
    }

    public func delete(_ name: String) throws(FlistError) {
        try checkVolumeName(name)
        try turns.take(.volume(name)) { () throws(FlistError) in
            try open(writing: true)?.delete(name)
        }
    }

    public func all() throws(FlistError) -> [Volume] {
        try open()?.all() ?? []
    }

    public func reopen() throws(FlistError) { _ = try open() }

    public func close() {
        try? turns.take(.pool) { () throws(FlistError) in
            let image = state.withLock { state in
                // Its descriptor would keep the mount busy.
                state.pool = nil
                return state.image
            }
            guard let image else { return }
            do throws(FlistError) {
                if try image.isMounted() { try image.unmount() }
                state.withLock { $0.image = nil }
            } catch {
                place.logger.info("the pool of volumes stays mounted", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// The pool, opened when it is needed first, when its mount was taken away, and for writing when an error has made
    /// it read-only; nil if there is none.
    private func open(making: Bool = false, writing: Bool = false) throws(FlistError) -> Pool? {
        if let pool = current(writable: writing) { return pool }
        return try turns.take(.pool) { () throws(FlistError) in
            if let pool = current(writable: writing) { return pool }
            // The descriptor of one that is out of place would keep its mount alive.
            state.withLock { $0.pool = nil }
            let pool = try place.open(making: making)
            state.withLock { state in
                state.pool = pool
                if let image = pool?.image { state.image = image }
            }
            return pool
        }
    }

    /// The open pool, if it still is what it was: one that may be written, when that is asked for.
    private func current(writable: Bool) -> Pool? {
        guard let pool = state.withLock({ $0.pool }), pool.isInPlace, !writable || !pool.isReadOnly else { return nil }
        return pool
    }
}
