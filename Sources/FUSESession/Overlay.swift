internal import CFUSE
internal import CLinux
internal import Glibc
public import Support

/// The two folders that make a read-only tree writable.
public struct OverlayOptions: Sendable, Hashable {
    /// Where everything that is written goes; on a local file system.
    public var upper: String
    /// The kernel's work folder: empty, on the same file system as `upper`.
    public var work: String

    public init(upper: String, work: String) {
        self.upper = upper
        self.work = work
    }
}

/// Mounts of the overlay file system, for which root's rights are needed.
public enum Overlay {
    /// Mounts `upper` over `lower` at `target`. Paths may have any length and hold any byte.
    ///
    /// The kernel keeps the layers: `lower` may be unmounted lazily afterwards. Its marks in `upper` are extended
    /// attributes `trusted.overlay.*`.
    public static func mount(
        lower: String, upper: String, work: String, at target: String, source: String = "overlay",
        noSuid: Bool = false, noDev: Bool = false, noExec: Bool = false, noAtime: Bool = false
    ) throws(FlistError) {
        try checkUnused(upper)
        let layers = Layers(lower: lower, upper: upper, work: work)
        let data = layers.options
        // A value of fsconfig(2) may have 255 bytes, all of mount(2)'s together a page. The mount table shows them as
        // they were given: what fits in neither is given as descriptors, and cannot be found there.
        if layers.fitValues || data.utf8.count >= 4096 {
            do throws(Errno) {
                try mountByDescriptors(layers, target, source, attributes(noSuid, noDev, noExec, noAtime))
                return
            } catch {
                // Before Linux 5.2 there is no fsopen(2).
                guard error == .notImplemented else { throw failure(error, layers, target) }
            }
        }
        do throws(Errno) {
            var flags: UInt = 0
            if noSuid { flags |= UInt(MS_NOSUID) }
            if noDev { flags |= UInt(MS_NODEV) }
            if noExec { flags |= UInt(MS_NOEXEC) }
            if noAtime { flags |= UInt(MS_NOATIME) }
            _ = try systemCall { Glibc.mount(source, target, "overlay", flags, data) }
        } catch {
            throw failure(error, layers, target)
        }
    }

    /// The kernel lets two overlays share a folder, and calls what they show then undefined (overlayfs.rst).
    private static func checkUnused(_ upper: String) throws(FlistError) {
        var (wanted, found) = (stat(), stat())
        guard stat(upper, &wanted) == 0 else { return }
        let user = try MountTable.current().entries.first {
            guard $0.type == "overlay", let folder = $0.overlayFolder("upperdir"), stat(folder, &found) == 0 else {
                return false
            }
            return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)
        }
        guard let user else { return }
        throw FlistError(
            .busy, "cannot write to \(upper): the mount at \(user.mountPoint) does; unmount it or name another folder")
    }

    private struct Layers {
        let lower: String
        let upper: String
        let work: String

        /// For mount(2).
        var options: String {
            "lowerdir=\(escape(lower, "\\:,")),upperdir=\(escape(upper, "\\,")),workdir=\(escape(work, "\\,"))"
        }

        /// Whether each can be given by itself.
        var fitValues: Bool {
            [escape(lower, "\\:"), escape(upper, "\\"), escape(work, "\\")].allSatisfy { $0.utf8.count <= 255 }
        }
    }

    private static func attributes(_ noSuid: Bool, _ noDev: Bool, _ noExec: Bool, _ noAtime: Bool) -> UInt32 {
        var result: UInt32 = 0
        if noSuid { result |= UInt32(MOUNT_ATTR_NOSUID) }
        if noDev { result |= UInt32(MOUNT_ATTR_NODEV) }
        if noExec { result |= UInt32(MOUNT_ATTR_NOEXEC) }
        if noAtime { result |= UInt32(MOUNT_ATTR_NOATIME) }
        return result
    }

    /// By fsopen(2) and its kin, which set no limit to the sum of the paths.
    private static func mountByDescriptors(
        _ layers: Layers, _ target: String, _ source: String, _ attributes: UInt32
    ) throws(Errno) {
        let context = FileDescriptor(owning: try systemCall { fsopen("overlay", UInt32(FSOPEN_CLOEXEC)) })
        let number = context.number
        func set(_ key: String, _ value: String) throws(Errno) {
            _ = try systemCall { fsconfig(number, FSCONFIG_SET_STRING.rawValue, key, value, 0) }
        }
        // A value may have 255 bytes; a longer path is given by way of a descriptor.
        var open: [Int32] = []
        defer { open.forEach { close($0) } }
        func setPath(_ key: String, _ path: String, escaping: String) throws(Errno) {
            let escaped = escape(path, escaping)
            guard escaped.utf8.count > 255 else { return try set(key, escaped) }
            // O_PATH is 0o10000000; Glibc shows it to Swift only with _GNU_SOURCE.
            let descriptor = try systemCall { Glibc.open(path, 0o10000000 | O_CLOEXEC | O_DIRECTORY) }
            open.append(descriptor)
            try set(key, "/proc/self/fd/\(descriptor)")
        }
        if source.utf8.count <= 255 { try set("source", source) }
        try setPath("lowerdir", layers.lower, escaping: "\\:")
        try setPath("upperdir", layers.upper, escaping: "\\")
        try setPath("workdir", layers.work, escaping: "\\")
        _ = try systemCall { fsconfig(number, FSCONFIG_CMD_CREATE.rawValue, nil, nil, 0) }
        let mounted = FileDescriptor(
            owning: try systemCall { fsmount(number, UInt32(FSMOUNT_CLOEXEC), attributes) })
        let tree = mounted.number
        _ = try systemCall { move_mount(tree, "", AT_FDCWD, target, UInt32(MOVE_MOUNT_F_EMPTY_PATH)) }
    }

    /// Puts a backslash before each of `special`, also where Unicode joins it with what follows.
    private static func escape(_ path: String, _ special: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in path.unicodeScalars {
            if special.unicodeScalars.contains(scalar) { escaped.append("\\") }
            escaped.append(scalar)
        }
        return String(escaped)
    }

    private static func failure(_ error: Errno, _ layers: Layers, _ target: String) -> FlistError {
        let what = "cannot mount an overlay of \(layers.upper) (work folder \(layers.work)) at \(target)"
        return switch error {
        case .noEntry: FlistError(.notFound, "\(what): one of these folders does not exist", cause: error)
        case .invalid:
            FlistError(
                .invalid, "\(what): both folders have to lie on one local file system that is no overlay", cause: error)
        case .noDevice: FlistError(.unsupported, "\(what): the kernel has no overlay, try modprobe overlay")
        case .notPermitted: FlistError(.permission, "\(what): only root may")
        case .busy: FlistError(.busy, "\(what): a folder is in use by another overlay", cause: error)
        default: FlistError(what, errno: error)
        }
    }
}

extension MountTable.Entry {
    /// A folder of an overlay. The table shows it as it was given to the kernel: with a backslash before some bytes.
    public func overlayFolder(_ option: String) -> String? {
        guard let text = superOption(option) else { return nil }
        var (path, isEscaped) = ("", false)
        for scalar in text.unicodeScalars {
            isEscaped = scalar == "\\" && !isEscaped
            if !isEscaped { path.unicodeScalars.append(scalar) }
        }
        return path
    }
}
