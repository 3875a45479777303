internal import CFUSE
internal import Glibc
internal import Support

extension SessionCore {
    /// The session that a request belongs to.
    static func of(_ request: OpaquePointer) -> SessionCore? {
        guard let context = fuse_req_userdata(request) else { return nil }
        return Unmanaged<SessionCore>.fromOpaque(context).takeUnretainedValue()
    }
}

/// Runs `body` with the token of a request and its session.
private func serve(_ request: OpaquePointer?, _ body: (SessionCore, consuming RequestToken) -> Void) {
    guard let request else { return }
    guard let core = SessionCore.of(request) else {
        fuse_reply_err(request, EIO)
        return
    }
    body(core, RequestToken(request, core))
}

/// A name without its zero byte.
private func bytes(_ name: UnsafePointer<CChar>?) -> UnsafeRawBufferPointer {
    guard let name else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: name, count: strlen(name))
}

extension fuse_lowlevel_ops {
    /// What libfuse calls for each kind of request; kinds that write never get here (see `Worker`).
    static var all: fuse_lowlevel_ops {
        var result = fuse_lowlevel_ops()
        result.`init` = { context, connection in
            guard let context, let connection else { return }
            let core = Unmanaged<SessionCore>.fromOpaque(context).takeUnretainedValue()
            // Only where libfuse makes the handshake; elsewhere it is over.
            if core.handshake == nil { Handshake.wish(&connection.pointee, core.options) }
        }
        result.lookup = { request, parent, name in
            serve(request) { core, token in
                let name = bytes(name)
                guard !name.elementsEqual(".".utf8) else {
                    // For file handles: the kernel knows the node and wants it as if looked up.
                    return core.fileSystem.getAttributes(parent, AttributesReply(entry: parent, token: token))
                }
                core.fileSystem.lookup(name, in: parent, EntryReply(token: token))
            }
        }
        result.getattr = { request, node, _ in
            serve(request) { core, token in
                core.fileSystem.getAttributes(node, AttributesReply(entry: nil, token: token))
            }
        }
        result.readlink = { request, node in
            serve(request) { core, token in
                core.fileSystem.readLink(node, DataReply(token: token, scratch: core.scratch))
            }
        }
        result.statfs = { request, _ in
            serve(request) { core, token in
                core.fileSystem.statistics(StatisticsReply(token: token))
            }
        }
        result.getxattr = { request, node, name, size in
            serve(request) { core, token in
                let reply = XattrReply(size: size, token: token)
                core.fileSystem.getXattr(node, name: bytes(name), size: size, reply)
            }
        }
        result.listxattr = { request, node, size in
            serve(request) { core, token in
                core.fileSystem.listXattr(node, size: size, XattrReply(size: size, token: token))
            }
        }
        result.addFileOperations()
        result.addDirectoryOperations()
        return result
    }

    private mutating func addFileOperations() {
        `open` = { request, node, info in
            serve(request) { core, token in
                guard core.openMode != .none else { return token.fail(.notImplemented) }
                let flags = info?.pointee.flags ?? 0
                core.fileSystem.open(node, flags: flags, OpenReply(always: 0, token: token))
            }
        }
        read = { request, node, size, offset, info in
            serve(request) { core, token in
                core.fileSystem.read(
                    node, handle: info?.pointee.fh ?? 0, offset: UInt64(bitPattern: Int64(offset)),
                    size: min(size, Worker.scratchSize),
                    DataReply(token: token, scratch: core.scratch))
            }
        }
        release = { request, node, info in
            serve(request) { core, token in
                core.fileSystem.release(node, handle: info?.pointee.fh ?? 0, EmptyReply(token: token))
            }
        }
        lseek = { request, node, offset, whence, _ in
            serve(request) { core, token in
                core.fileSystem.seek(
                    node, offset: UInt64(bitPattern: Int64(offset)), whence: whence, SeekReply(token: token))
            }
        }
    }

    private mutating func addDirectoryOperations() {
        opendir = { request, node, _ in
            serve(request) { core, token in
                guard core.openMode != .none else { return token.fail(.notImplemented) }
                core.fileSystem.openDirectory(node, OpenReply(always: UInt32(FOPEN_CACHE_DIR), token: token))
            }
        }
        readdir = { request, node, size, offset, _ in
            list(request, node, size, offset, plus: false)
        }
        readdirplus = { request, node, size, offset, _ in
            list(request, node, size, offset, plus: true)
        }
        releasedir = { request, node, info in
            serve(request) { core, token in
                core.fileSystem.releaseDirectory(node, handle: info?.pointee.fh ?? 0, EmptyReply(token: token))
            }
        }
    }
}

private func list(_ request: OpaquePointer?, _ node: NodeID, _ size: Int, _ offset: Int, plus: Bool) {
    serve(request) { core, token in
        let buffer = core.scratch.prefix(size).rebased
        let reply = DirectoryReply(plus: plus, token: token, buffer: buffer)
        core.fileSystem.readDirectory(
            node, offset: UInt64(bitPattern: Int64(offset)), size: buffer.count, plus: plus, reply)
    }
}
