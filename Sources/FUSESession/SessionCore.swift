internal import CFUSE
internal import Glibc
internal import Support
internal import Synchronization

/// One libfuse session and what its requests need: owned by the workers and by every request not yet answered.
///
/// Thread-safe. The libfuse session is freed with the last owner, so that late answers find it.
final class SessionCore: @unchecked Sendable {
    // All stored properties are set once before the first worker starts; libfuse locks its own state.
    let fileSystem: any FileSystem
    let options: MountOptions
    let counters = RequestCounters()
    private(set) var session: OpaquePointer?
    /// The first exchange with the kernel; nil where libfuse made it.
    var handshake: Handshake?
    /// How files are opened here.
    private(set) var openMode = OpenMode.none
    /// What the kernel reads by itself; nil in another mode.
    private(set) var backingFiles: BackingFiles?
    private(set) var opens = OpenTable(nil)
    let workers = Monitor(Workers())

    struct Workers {
        var running = 0
        var hasEnded = false
    }

    /// Makes the libfuse session; `arguments` are its command line without the program's name.
    init(_ fileSystem: any FileSystem, _ options: MountOptions, arguments: [String]) throws(FlistError) {
        self.fileSystem = fileSystem
        self.options = options
        guard Worker.scratchKey != nil else {
            throw FlistError(.io, "cannot start a FUSE session: this process has used up its 1,024 thread keys")
        }
        var operations = fuse_lowlevel_ops.all
        let words = (["flist"] + arguments).map { strdup($0) }
        defer { words.forEach { free($0) } }
        var vector: [UnsafeMutablePointer<CChar>?] = words + [nil]
        let context = Unmanaged.passUnretained(self).toOpaque()
        session = vector.withUnsafeMutableBufferPointer { vector in
            var arguments = fuse_args(argc: Int32(words.count), argv: vector.baseAddress, allocated: 0)
            defer { fuse_opt_free_args(&arguments) }
            return fuse_session_new(&arguments, &operations, MemoryLayout<fuse_lowlevel_ops>.size, context)
        }
        guard session != nil else {
            throw FlistError(.io, "libfuse refuses to start a session with \(arguments.joined(separator: " "))")
        }
    }

    deinit {
        if let session {
            // Only closes the descriptor and unmounts what is still mounted by fusermount3; no worker is left.
            fuse_session_unmount(session)
            fuse_session_destroy(session)
        }
    }

    /// Settles how files are opened, once the kernel has said what it can. Before the first worker starts.
    func settleOpens() {
        openMode = options.opens ?? .none
        guard openMode == .passthrough else { return }
        let files = BackingFiles(device: descriptor)
        if handshake?.grantsPassthrough == true, files.isPermitted(), let slots = OpenSlots() {
            backingFiles = files
            opens = OpenTable(slots)
        } else {
            openMode = options.insteadOfPassthrough == .passthrough ? .message : options.insteadOfPassthrough
        }
    }

    /// Opens files as an earlier process did. Before the first worker starts.
    func resumeOpens(_ mode: OpenMode, _ slots: OpenSlots?) {
        openMode = mode
        guard let slots else { return }
        opens = OpenTable(slots)
        backingFiles = BackingFiles(device: descriptor, held: opens.backings)
    }

    /// The descriptor of the FUSE device, owned by libfuse.
    var descriptor: Int32 { session.map { fuse_session_fd($0) } ?? -1 }

    /// Lets libfuse handle one request; answers may come later.
    func process(_ message: UnsafeMutableRawBufferPointer) {
        guard let session else { return }
        var buffer = fuse_buf()
        buffer.size = message.count
        buffer.mem = message.baseAddress
        buffer.fd = -1
        fuse_session_process_buf(session, &buffer)
    }

    /// Tells libfuse that the connection has ended, so that it does not complain about late answers.
    func markEnded() {
        if let session { fuse_session_exit(session) }
    }

    /// The worker's memory; empty on any other thread.
    var scratch: UnsafeMutableRawBufferPointer {
        guard let key = Worker.scratchKey, let memory = pthread_getspecific(key) else {
            return UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeMutableRawBufferPointer(start: memory, count: Worker.scratchSize)
    }
}
