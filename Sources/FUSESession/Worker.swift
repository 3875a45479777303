internal import CFUSE
internal import Glibc
internal import Support

/// One thread's loop: receives a request, lets it be served, until the connection ends.
struct Worker {
    /// The largest read or directory answer.
    static let scratchSize = 1 << 20
    /// What the kernel may want to send at once: when libfuse made the handshake 256 pages, and a header.
    ///
    /// Only the pages that requests fill are ever used: few KiB.
    static let receiveSize = 256 * max(4096, sysconf(Int32(_SC_PAGESIZE))) + 8192

    /// Under which each worker keeps its scratch memory; nil where the process has no key left. One for all sessions: a
    /// worker serves one of them, and there are 1,024 keys in all (PTHREAD_KEYS_MAX), of which libfuse takes one each.
    static let scratchKey: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    /// Memory from the kernel, page-aligned and untouched until used.
    private static func map(_ size: Int) throws(FlistError) -> UnsafeMutableRawBufferPointer {
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            throw FlistError("cannot get memory for a FUSE worker", errno: .current)
        }
        return UnsafeMutableRawBufferPointer(start: memory, count: size)
    }

    /// Starts a worker thread of the session, which counts itself out when it ends.
    static func start(_ core: SessionCore, number: Int) throws(FlistError) {
        nonisolated(unsafe) let receive = try map(receiveSize)
        // Both buffers belong to the one thread started here, which unmaps them.
        nonisolated(unsafe) let scratch: UnsafeMutableRawBufferPointer
        do throws(FlistError) {
            scratch = try map(scratchSize)
        } catch {
            munmap(receive.baseAddress, receive.count)
            throw error
        }
        core.workers.withLock { $0.running += 1 }
        do throws(FlistError) {
            let thread = try WorkerThread("fuse-\(number)") {
                WorkerThread.answerPromptly()
                if let scratchKey { pthread_setspecific(scratchKey, scratch.baseAddress) }
                run(core, receive)
                munmap(receive.baseAddress, receive.count)
                munmap(scratch.baseAddress, scratch.count)
                countOut(core)
            }
            thread.detach()
        } catch {
            munmap(receive.baseAddress, receive.count)
            munmap(scratch.baseAddress, scratch.count)
            countOut(core)
            throw error
        }
    }

    private static func countOut(_ core: SessionCore) {
        core.workers.withLock { workers in
            workers.running -= 1
            if workers.running == 0 { workers.hasEnded = true }
        }
        core.workers.broadcast()
    }

    /// More than any request takes that is not refused.
    private static let usedSize = 4 * 4096

    private static func run(_ core: SessionCore, _ buffer: UnsafeMutableRawBufferPointer) {
        // A process that is killed while the kernel waits for a page of it would cost the request.
        buffer.prefix(usedSize).rebased.initializeMemory(as: UInt8.self, repeating: 0)
        let descriptor = core.descriptor
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0 {
                switch errno {
                // ENOENT: the request was interrupted before it was read.
                case EINTR, EAGAIN, ENOENT: continue
                // ENODEV: unmounted; ECONNABORTED: the connection was cut.
                default:
                    core.markEnded()
                    return
                }
            }
            let message = buffer.prefix(count).rebased
            guard let header = UnsafeRawBufferPointer(message).header else { continue }
            core.counters.count(opcode: header.opcode)
            switch header.opcode {
            // Node ids mean the same for ever: nothing was remembered that could be forgotten. There is no answer.
            case FUSE_FORGET.rawValue, FUSE_BATCH_FORGET.rawValue: break
            case FUSE_OPEN.rawValue where core.backingFiles != nil: core.open(header)
            case FUSE_RELEASE.rawValue where core.backingFiles != nil:
                core.release(UnsafeRawBufferPointer(message), header)
            case let opcode where writing.contains(opcode): refuse(header, on: descriptor)
            default: core.process(message)
            }
        }
    }

    /// Requests that would change something. The kernel sends them only if the mount is not read-only.
    private static let writing: Set<UInt32> = Set(
        [
            FUSE_SETATTR, FUSE_SYMLINK, FUSE_MKNOD, FUSE_MKDIR, FUSE_UNLINK, FUSE_RMDIR, FUSE_RENAME, FUSE_LINK,
            FUSE_WRITE, FUSE_SETXATTR, FUSE_REMOVEXATTR, FUSE_CREATE, FUSE_FALLOCATE, FUSE_RENAME2,
            FUSE_COPY_FILE_RANGE, FUSE_TMPFILE,
        ].map(\.rawValue))

    private static func refuse(_ request: fuse_in_header, on descriptor: Int32) {
        var answer = fuse_out_header(
            len: UInt32(MemoryLayout<fuse_out_header>.size), error: -EROFS, unique: request.unique)
        _ = Glibc.write(descriptor, &answer, MemoryLayout<fuse_out_header>.size)
    }
}
