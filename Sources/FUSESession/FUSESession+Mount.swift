internal import CLinux
internal import Glibc
public import Support

extension FUSESession {
    /// Mounts a file system and starts to serve it; returns when it can be used.
    ///
    /// As root by mount(2), otherwise by fusermount3. With an overlay (root only) the file system is mounted at a
    /// private place, the overlay over it at the target, and the private place is given up: the session ends with the
    /// overlay. Threads are started: a process that goes to the background has to fork before. Blocks shortly.
    public static func mount(
        _ fileSystem: any FileSystem, at target: String, options: MountOptions, overlay: OverlayOptions? = nil
    ) throws(FlistError) -> FUSESession {
        let target = try checked(target: target)
        guard let overlay else {
            let core = try connect(fileSystem, at: target, options)
            let device = try? MountTable.current().find(target: target)?.device
            setReadahead(device, options)
            try startWorkers(core, at: target)
            return FUSESession(target: target, core: core, device: device, fuseDevice: device)
        }
        guard MountOptions.isRoot else {
            throw FlistError(.permission, "cannot make \(target) writable: only root may mount an overlay")
        }
        let place = try PrivatePlace()
        let core = try connect(fileSystem, at: place.path, options.asLowerLayer)
        // The overlay keeps the file system by then; if there is none, this ends the session.
        defer { umount2(place.path, Int32(MNT_DETACH)) }
        let fuseDevice = try? MountTable.current().find(target: place.path)?.device
        setReadahead(fuseDevice, options)
        try startWorkers(core, at: place.path)
        try Overlay.mount(
            lower: place.path, upper: overlay.upper, work: overlay.work, at: target, source: options.source,
            noSuid: options.noSuid, noDev: options.noDev, noExec: options.noExec)
        let device = try? MountTable.current().find(target: target)?.device
        return FUSESession(target: target, core: core, device: device, fuseDevice: fuseDevice)
    }

    /// Starts all workers, or unmounts again.
    static func startWorkers(_ core: SessionCore, at target: String) throws(FlistError) {
        do throws(FlistError) {
            for number in 0..<max(1, core.options.workers) { try Worker.start(core, number: number) }
        } catch {
            try? unmount(target, lazy: true)
            throw error
        }
    }

    /// Raises the kernel's readahead: by INIT it can only be lowered. Needs root; without, 128 KiB remain.
    private static func setReadahead(_ device: MountTable.Device?, _ options: MountOptions) {
        guard let device, MountOptions.isRoot else { return }
        let path = "/sys/class/bdi/\(device.major):\(device.minor)/read_ahead_kb"
        guard let file = try? FileDescriptor(path, O_WRONLY) else { return }
        Array("\(options.readaheadKiB)\n".utf8).withUnsafeBytes { try? file.write($0, at: 0) }
    }
}

extension MountOptions {
    /// For a file system that only an overlay sees, which has flags of its own.
    var asLowerLayer: MountOptions {
        var result = self
        result.readOnly = true
        return result
    }
}
