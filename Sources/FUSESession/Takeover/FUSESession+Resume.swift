internal import CFUSE
internal import Glibc
public import Support

extension FUSESession {
    /// What a successor of this process needs to go on serving; nil where it cannot: the mount is an ordinary user's,
    /// or the kernel is older than Linux 6.9, which does not send requests again. Good while the session lives.
    public var kept: KeptSession? {
        guard let handshake = core.handshake, handshake.allowsTakeover else { return nil }
        let state = SessionState(
            opens: core.openMode, target: target, device: device, fuseDevice: fuseDevice, request: handshake.request,
            answer: withUnsafeBytes(of: handshake.answer) { Array($0) })
        var descriptors = [core.descriptor]
        if let slots = core.opens.slots { descriptors.append(slots.file.number) }
        return KeptSession(state: state.bytes, descriptors: descriptors)
    }

    /// Goes on serving what another process mounted, which has to be gone: not a thread of it may be left.
    ///
    /// The file system has to give nodes the same numbers as the earlier one, and options what that was mounted with;
    /// files are opened as they were. What was read by the other process and not answered is sent again by the kernel.
    /// - Parameter session: its descriptors now belong to this session, also when this throws.
    /// - Throws: `unsupported` for a state that another version of the program wrote.
    public static func resume(
        _ fileSystem: any FileSystem, _ session: KeptSession, options: MountOptions
    ) throws(FlistError) -> FUSESession {
        let numbers = session.descriptors
        defer { numbers.dropFirst(2).forEach { close($0) } }
        let device = FileDescriptor(owning: numbers.first ?? -1)
        let slots = numbers.count > 1 ? OpenSlots(FileDescriptor(owning: numbers[1])) : nil
        guard let state = SessionState(session.state), !numbers.isEmpty,
            let handshake = Handshake(request: state.request, answer: state.answer),
            (state.opens == .passthrough) == (slots != nil)
        else {
            throw FlistError(.unsupported, "cannot go on with the mount: another version of the program serves it")
        }
        let core = try SessionCore(fileSystem, options, arguments: [])
        core.handshake = handshake
        try core.adopt(device)
        core.resumeOpens(state.opens, slots)
        fileSystem.connected(opens: core.openMode)
        // First: what a worker of this process had read would be sent again as well, and answered twice.
        try core.askAgain(for: state.target)
        try startWorkers(core, at: state.target)
        return FUSESession(target: state.target, core: core, device: state.device, fuseDevice: state.fuseDevice)
    }
}

extension SessionCore {
    /// Has the kernel send again what was read and not answered: FUSE_NOTIFY_RESEND, a header alone.
    fileprivate func askAgain(for target: String) throws(FlistError) {
        let number = descriptor
        do throws(Errno) {
            var notification = fuse_out_header(len: UInt32(MemoryLayout<fuse_out_header>.size), error: 7, unique: 0)
            _ = try systemCall { Glibc.write(number, &notification, MemoryLayout<fuse_out_header>.size) }
        } catch {
            // Unmounted in the meantime: the workers see it too.
            if error == .noDevice || error == .notConnected { return }
            throw FlistError("cannot have requests for \(target) sent again", errno: error)
        }
    }
}
