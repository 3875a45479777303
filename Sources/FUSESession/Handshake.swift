internal import CFUSE
internal import Glibc
internal import Support

/// The first exchange of a connection, FUSE_INIT: what the kernel offers and what was answered.
///
/// Both are kept, as they belong to the connection: whoever serves it later has to behave as was promised here.
struct Handshake: Sendable {
    /// The request as the kernel sent it, header included.
    let request: [UInt8]
    let answer: fuse_init_out

    /// Whether the kernel agreed to read files by itself.
    var grantsPassthrough: Bool { UInt64(answer.flags2) << 32 & BackingFiles.initFlag != 0 }

    /// FUSE_HAS_RESEND, bit 39 of the kernel's offer: it sends again what was read and not answered (Linux 6.9).
    private static let resendFlag: UInt64 = 1 << 39

    /// Whether the connection can be served by another process after this one.
    var allowsTakeover: Bool {
        let offset = MemoryLayout<fuse_in_header>.size
        guard request.count >= offset + MemoryLayout<fuse_init_in>.size else { return false }
        let offer = request.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: fuse_init_in.self) }
        return UInt64(offer.flags2) << 32 & Self.resendFlag != 0
    }

    /// One that was made before, by another process.
    init?(request: [UInt8], answer: [UInt8]) {
        guard answer.count == MemoryLayout<fuse_init_out>.size, request.count >= MemoryLayout<fuse_in_header>.size
        else { return nil }
        self.request = request
        self.answer = answer.withUnsafeBytes { $0.loadUnaligned(as: fuse_init_out.self) }
    }

    /// 1 MiB in one request: 25 % more throughput than 128 KiB; the kernel allows no more than 256 pages.
    static let maximumPages = UInt16(clamping: min(256, Worker.scratchSize / max(4096, sysconf(Int32(_SC_PAGESIZE)))))

    /// What is asked of the kernel, as far as it offers it.
    ///
    /// EXPLICIT_INVAL_DATA instead of AUTO_INVAL_DATA, which costs a GETATTR for each read after attributes expire.
    /// Not ASYNC_DIO: with it a process that waits in an O_DIRECT read cannot be killed, and the kernel tells of no
    /// interrupt.
    private static let wanted: UInt64 = {
        let names: [Int32] = [
            FUSE_ASYNC_READ, FUSE_EXPORT_SUPPORT, FUSE_DO_READDIRPLUS, FUSE_READDIRPLUS_AUTO, FUSE_NO_OPEN_SUPPORT,
            FUSE_PARALLEL_DIROPS, FUSE_ABORT_ERROR, FUSE_MAX_PAGES, FUSE_CACHE_SYMLINKS, FUSE_NO_OPENDIR_SUPPORT,
            FUSE_EXPLICIT_INVAL_DATA, FUSE_INIT_EXT,
        ]
        return names.reduce(0) { $0 | UInt64(UInt32(bitPattern: $1)) }
    }()

    /// Reads FUSE_INIT from a fresh connection and answers it. Blocks until the kernel has sent it: at once.
    init(on descriptor: Int32, _ options: MountOptions) throws(FlistError) {
        do {
            let size = Worker.receiveSize
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
            defer { buffer.deallocate() }
            let count = try systemCall { Glibc.read(descriptor, buffer.baseAddress, size) }
            let message = UnsafeRawBufferPointer(buffer.prefix(count).rebased)
            request = Array(message)
            let headerSize = MemoryLayout<fuse_in_header>.size
            guard count >= headerSize + 16, let header = message.header, header.opcode == FUSE_INIT.rawValue else {
                throw FlistError(.unsupported, "the kernel does not begin its FUSE connection with INIT")
            }
            // Kernels before 5.17 send 16 bytes, later ones the whole structure.
            var offer = fuse_init_in()
            let known = min(count - headerSize, MemoryLayout<fuse_init_in>.size)
            withUnsafeMutableBytes(of: &offer) {
                $0.copyMemory(from: message[headerSize...].rebased.prefix(known).rebased)
            }
            guard offer.major == UInt32(FUSE_KERNEL_VERSION), offer.minor >= 28 else {
                throw FlistError(
                    .unsupported,
                    "the kernel speaks FUSE \(offer.major).\(offer.minor): 7.28 is needed, use Linux 4.20 or later")
            }
            answer = Handshake.answer(to: offer, options)
            var reply = InitReply(
                header: fuse_out_header(
                    len: UInt32(MemoryLayout<InitReply>.size), error: 0, unique: header.unique), answer: answer)
            let length = MemoryLayout<InitReply>.size
            _ = try systemCall { Glibc.write(descriptor, &reply, length) }
        } catch let error as FlistError {
            throw error
        } catch {
            throw FlistError("cannot answer the kernel's FUSE_INIT", errno: error as? Errno ?? .io)
        }
    }

    private struct InitReply {
        var header: fuse_out_header
        var answer: fuse_init_out
    }

    private static func answer(to offer: fuse_init_in, _ options: MountOptions) -> fuse_init_out {
        var offered = UInt64(offer.flags)
        if offered & UInt64(FUSE_INIT_EXT) != 0 { offered |= UInt64(offer.flags2) << 32 }
        var wanted = wanted
        if options.aclSupport { wanted |= UInt64(FUSE_POSIX_ACL) }
        if options.opens == .passthrough { wanted |= BackingFiles.initFlag }
        let flags = offered & wanted
        var answer = fuse_init_out()
        answer.major = UInt32(FUSE_KERNEL_VERSION)
        answer.minor = min(offer.minor, UInt32(FUSE_KERNEL_MINOR_VERSION))
        answer.max_readahead = min(offer.max_readahead, UInt32(clamping: options.readaheadKiB * 1024))
        answer.flags = UInt32(truncatingIfNeeded: flags)
        answer.flags2 = UInt32(truncatingIfNeeded: flags >> 32)
        answer.max_background = maximumBackground
        answer.congestion_threshold = maximumBackground / 4 * 3
        // Nothing is ever written; the kernel asks for one page at least.
        answer.max_write = 4096
        answer.time_gran = 1
        answer.max_pages = maximumPages
        // `max_stack_depth` in headers younger than Debian 12's.
        if flags & BackingFiles.initFlag != 0 { answer.unused.0 = BackingFiles.stackDepth }
        return answer
    }

    /// Readahead requests that may be on their way at once; the kernel's 12 would starve a slow store's readers.
    static let maximumBackground: UInt16 = 128

    /// The same wishes, where libfuse makes the handshake.
    static func wish(_ connection: inout fuse_conn_info, _ options: MountOptions) {
        let wanted = [
            FUSE_CAP_ASYNC_READ, FUSE_CAP_READDIRPLUS, FUSE_CAP_READDIRPLUS_AUTO, FUSE_CAP_NO_OPEN_SUPPORT,
            FUSE_CAP_PARALLEL_DIROPS, FUSE_CAP_CACHE_SYMLINKS, FUSE_CAP_NO_OPENDIR_SUPPORT,
            FUSE_CAP_EXPLICIT_INVAL_DATA, FUSE_CAP_EXPORT_SUPPORT,
        ].reduce(UInt32(0)) { $0 | UInt32($1) }
        connection.want = connection.capable & wanted
        // Has to be what the mount option says.
        connection.max_read = UInt32(clamping: options.maximumRead)
        connection.max_readahead = UInt32(clamping: options.readaheadKiB * 1024)
        connection.max_background = UInt32(maximumBackground)
        connection.congestion_threshold = UInt32(maximumBackground / 4 * 3)
        connection.time_gran = 1
    }
}

extension UnsafeRawBufferPointer {
    /// The header of a request; nil when it is too short for one.
    var header: fuse_in_header? {
        count >= MemoryLayout<fuse_in_header>.size ? loadUnaligned(as: fuse_in_header.self) : nil
    }
}

extension Slice<UnsafeRawBufferPointer> {
    var rebased: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self) }
}
