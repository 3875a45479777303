internal import CFUSE
internal import Glibc
internal import Support

/// Opens of a passthrough session. They are answered without libfuse, which does not tell a request's number: that is
/// an open's handle, for the number stays the same when the request is sent again to a successor.
extension SessionCore {
    /// FUSE_UNIQUE_RESEND, bit 63 of the number of a request that is sent again.
    private static let resentBit: UInt64 = 1 << 63

    /// Answers an open: with the node's file where it is complete, else by messages.
    func open(_ request: fuse_in_header) {
        guard let files = backingFiles else { return }
        let (node, handle) = (request.nodeid, request.unique & ~Self.resentBit)
        guard let grant = opens.join(node, handle) ?? firstOpen(node, handle, files) else {
            answer(request, error: ENFILE)
            return
        }
        var reply = OpenAnswer(request)
        reply.open.fh = handle
        if let id = grant.backing {
            // With KEEP_CACHE it would be refused. Without, pages of an open by messages go: nobody needs them now.
            reply.open.open_flags = BackingFiles.openFlag
            reply.open.padding = UInt32(bitPattern: id)
        } else {
            reply.open.open_flags = UInt32(FOPEN_KEEP_CACHE)
        }
        // Nobody took the answer: the opener was interrupted, and there will be no release.
        if Glibc.write(descriptor, &reply, MemoryLayout<OpenAnswer>.size) < 0 { release(handle, files) }
    }

    private struct OpenAnswer {
        var header: fuse_out_header
        var open = fuse_open_out()

        init(_ request: fuse_in_header) {
            header = fuse_out_header(len: UInt32(MemoryLayout<OpenAnswer>.size), error: 0, unique: request.unique)
        }
    }

    /// The file and its id are got without the table's lock; another may be faster in the meantime.
    private func firstOpen(_ node: NodeID, _ handle: UInt64, _ files: BackingFiles) -> OpenTable.Grant? {
        var id: Int32?
        if let file = fileSystem.backingFile(of: node) { id = files.open(file) }
        let grant = opens.enter(node, handle, backing: id)
        if let id, id != grant?.backing { files.close(id) }
        return grant
    }

    /// Counts an open out, and gives the file back with the last one. What was counted out before is no error.
    func release(_ message: UnsafeRawBufferPointer, _ request: fuse_in_header) {
        let offset = MemoryLayout<fuse_in_header>.size
        if let files = backingFiles, message.count >= offset + MemoryLayout<fuse_release_in>.size {
            release(message.loadUnaligned(fromByteOffset: offset, as: fuse_release_in.self).fh, files)
        }
        answer(request, error: 0)
    }

    private func release(_ handle: UInt64, _ files: BackingFiles) {
        if let id = opens.leave(handle) { files.close(id) }
    }

    private func answer(_ request: fuse_in_header, error: Int32) {
        var header = fuse_out_header(
            len: UInt32(MemoryLayout<fuse_out_header>.size), error: -error, unique: request.unique)
        _ = Glibc.write(descriptor, &header, MemoryLayout<fuse_out_header>.size)
    }
}
