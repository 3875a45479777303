internal import CFUSE
internal import CLinux
internal import Glibc
internal import Support

extension FUSESession {
    /// The target as the mount table will show it.
    static func checked(target: String) throws(FlistError) -> String {
        var status = stat()
        guard stat(target, &status) == 0 else {
            let error = Errno.current
            switch error {
            case .noEntry:
                throw FlistError(.notFound, "cannot mount at \(target): there is no such folder, make it first")
            case .notConnected:
                throw FlistError(
                    .busy, "cannot mount at \(target): a dead mount is there; clear it with umount -l \(target)")
            default: throw FlistError("cannot mount at \(target)", errno: error)
            }
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw FlistError(.notFound, "cannot mount at \(target): it is not a folder")
        }
        guard let path = realpath(target, nil) else {
            throw FlistError("cannot mount at \(target)", errno: .current)
        }
        defer { free(path) }
        return String(cString: path)
    }

    /// Mounts and shakes hands; nobody serves yet.
    static func connect(
        _ fileSystem: any FileSystem, at target: String, _ options: MountOptions
    ) throws(FlistError) -> SessionCore {
        let core =
            MountOptions.isRoot
            ? try connectAsRoot(fileSystem, at: target, options) : try connectAsUser(fileSystem, at: target, options)
        core.settleOpens()
        fileSystem.connected(opens: core.openMode)
        return core
    }

    /// Opens the FUSE device and mounts by hand: INIT features newer than libfuse are ours to ask for.
    private static func connectAsRoot(
        _ fileSystem: any FileSystem, at target: String, _ options: MountOptions
    ) throws(FlistError) -> SessionCore {
        let device = try openDevice()
        var words = [
            "fd=\(device.number)", "rootmode=40755", "user_id=0", "group_id=0", "max_read=\(options.maximumRead)",
        ]
        if options.allowOther { words.append("allow_other") }
        if options.defaultPermissions { words.append("default_permissions") }
        let data = words.joined(separator: ",")
        do throws(Errno) {
            let type = options.subtype.isEmpty ? "fuse" : "fuse.\(options.subtype)"
            let flags = options.mountFlags
            _ = try systemCall { Glibc.mount(options.source, target, type, flags, data) }
        } catch {
            switch error {
            case .noDevice:
                throw FlistError(.unsupported, "cannot mount at \(target): the kernel has no FUSE, try modprobe fuse")
            case .notPermitted:
                throw FlistError(
                    .permission, "cannot mount at \(target): the right to mount is missing (CAP_SYS_ADMIN)")
            default: throw FlistError("cannot mount at \(target)", errno: error)
            }
        }
        do throws(FlistError) {
            let core = try SessionCore(fileSystem, options, arguments: [])
            core.handshake = try Handshake(on: device.number, options)
            try core.adopt(device)
            return core
        } catch {
            umount2(target, Int32(MNT_DETACH | UMOUNT_NOFOLLOW))
            throw error
        }
    }

    private static func openDevice() throws(FlistError) -> FileDescriptor {
        let path = "/dev/fuse"
        do throws(Errno) {
            return try FileDescriptor(path, O_RDWR)
        } catch {
            switch error {
            case .noEntry, .noDevice, .noSuchDeviceOrAddress:
                throw FlistError(
                    .unsupported, "cannot open \(path): the kernel has no FUSE, try modprobe fuse", cause: error)
            case .notPermitted, .accessDenied:
                let remedy =
                    MountOptions.isRoot
                    ? "give this container the device" : "run as root, or open the device to users (chmod 666 \(path))"
                throw FlistError(.permission, "cannot open \(path): \(remedy)", cause: error)
            default: throw FlistError("cannot open \(path)", errno: error)
            }
        }
    }

    /// Lets libfuse mount by fusermount3 and make the handshake.
    private static func connectAsUser(
        _ fileSystem: any FileSystem, at target: String, _ options: MountOptions
    ) throws(FlistError) -> SessionCore {
        // libfuse would say the same less clearly.
        _ = try openDevice()
        guard Fusermount.find() != nil else {
            throw FlistError(.permission, "cannot mount at \(target): run as root, or install fuse3 (fusermount3)")
        }
        let core = try SessionCore(fileSystem, options, arguments: options.libfuseArguments)
        guard let session = core.session, fuse_session_mount(session, target) == 0 else {
            throw FlistError(
                .permission,
                "cannot mount at \(target): fusermount3 refuses (the folder has to be yours); or run as root")
        }
        // The first request is INIT; libfuse answers it.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Worker.receiveSize, alignment: 8)
        defer { buffer.deallocate() }
        let descriptor = core.descriptor
        do throws(Errno) {
            let count = try systemCall { read(descriptor, buffer.baseAddress, buffer.count) }
            core.process(buffer.prefix(count).rebased)
        } catch {
            throw FlistError("cannot read the kernel's FUSE_INIT for \(target)", errno: error)
        }
        guard fuse_session_exited(session) == 0 else {
            throw FlistError(.unsupported, "cannot mount at \(target): libfuse refuses the kernel's FUSE_INIT")
        }
        return core
    }
}

extension SessionCore {
    /// Makes libfuse believe that it shook hands on the device.
    ///
    /// It gets /dev/null to "mount", the kept INIT, whose answer vanishes there, and then the device under the same
    /// number.
    func adopt(_ device: consuming FileDescriptor) throws(FlistError) {
        guard let session, let handshake else { return }
        do throws(Errno) {
            let null = try FileDescriptor("/dev/null", O_RDWR).release()
            guard fuse_session_mount(session, "/dev/fd/\(null)") == 0 else {
                close(null)
                throw Errno.io
            }
            var request = handshake.request
            request.withUnsafeMutableBytes { process($0) }
            let number = device.number
            _ = try systemCall { linux_dup3(number, null, O_CLOEXEC) }
        } catch {
            throw FlistError("cannot hand the FUSE device to libfuse", errno: error)
        }
        guard fuse_session_exited(session) == 0 else {
            throw FlistError(.unsupported, "libfuse refuses the kernel's FUSE_INIT")
        }
    }
}
