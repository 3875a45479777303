public import Support

/// A read-only file system as the kernel sees it.
///
/// Every method is called by one of the session's workers and has to answer its reply exactly once, now or later,
/// from any thread; a reply that is dropped answers EIO. A method that waits holds a worker: park the reply instead.
/// Names and other buffers are valid during the call only. Requests that would write are answered by the session
/// (EROFS).
public protocol FileSystem: AnyObject, Sendable {
    /// Told once before any request: how the session opens files.
    func connected(opens: OpenMode)
    /// Finds a name in a directory. A name that is not there is best answered `negative()`.
    ///
    /// The name ".." asks for the directory's parent: the kernel needs it to open file handles (NFS, overlays).
    func lookup(_ name: UnsafeRawBufferPointer, in parent: NodeID, _ reply: consuming EntryReply)
    func getAttributes(_ node: NodeID, _ reply: consuming AttributesReply)
    /// Answers with the target's bytes, without a zero at the end.
    func readLink(_ node: NodeID, _ reply: consuming DataReply)
    /// Opens a file in a session that opens by messages; `flags` as in open(2). By default with handle 0.
    func open(_ node: NodeID, flags: Int32, _ reply: consuming OpenReply)
    /// A local file of exactly the node's bytes, for the kernel to read by itself; nil while there is none, the default.
    ///
    /// Asked at the first open in a session with passthrough, which calls neither `open` nor `release`. The file must
    /// never change; it may be unlinked.
    func backingFile(of node: NodeID) -> FileDescriptor?
    /// Reads `size` bytes at `offset`, at most as many as `reply.scratch` has.
    func read(_ node: NodeID, handle: UInt64, offset: UInt64, size: Int, _ reply: consuming DataReply)
    func release(_ node: NodeID, handle: UInt64, _ reply: consuming EmptyReply)
    /// Opens a directory. By default ENOSYS: the kernel caches directories and opens them without asking again.
    func openDirectory(_ node: NodeID, _ reply: consuming OpenReply)
    /// Lists a directory from `offset`, which is 0 or what an earlier entry gave as `nextOffset`. Answer in the call.
    func readDirectory(
        _ node: NodeID, offset: UInt64, size: Int, plus: Bool, _ reply: consuming DirectoryReply)
    func releaseDirectory(_ node: NodeID, handle: UInt64, _ reply: consuming EmptyReply)
    func statistics(_ reply: consuming StatisticsReply)
    /// Finds an extended attribute. By default ENOSYS: there are none.
    func getXattr(_ node: NodeID, name: UnsafeRawBufferPointer, size: Int, _ reply: consuming XattrReply)
    /// Lists the names of the extended attributes, each ended by a zero byte. By default ENOSYS: there are none.
    func listXattr(_ node: NodeID, size: Int, _ reply: consuming XattrReply)
    /// Finds data or a hole: `whence` is SEEK_DATA (3) or SEEK_HOLE (4). By default ENOSYS: files have no holes.
    func seek(_ node: NodeID, offset: UInt64, whence: Int32, _ reply: consuming SeekReply)
}

extension FileSystem {
    public func connected(opens: OpenMode) {}

    public func backingFile(of node: NodeID) -> FileDescriptor? { nil }

    public func readLink(_ node: NodeID, _ reply: consuming DataReply) { reply.fail(.invalid) }

    public func open(_ node: NodeID, flags: Int32, _ reply: consuming OpenReply) { reply.succeed(handle: 0) }

    public func release(_ node: NodeID, handle: UInt64, _ reply: consuming EmptyReply) { reply.succeed() }

    public func openDirectory(_ node: NodeID, _ reply: consuming OpenReply) { reply.fail(.notImplemented) }

    public func releaseDirectory(_ node: NodeID, handle: UInt64, _ reply: consuming EmptyReply) { reply.succeed() }

    public func statistics(_ reply: consuming StatisticsReply) { reply.succeed(FileSystemStatistics()) }

    public func getXattr(_ node: NodeID, name: UnsafeRawBufferPointer, size: Int, _ reply: consuming XattrReply) {
        reply.fail(.notImplemented)
    }

    public func listXattr(_ node: NodeID, size: Int, _ reply: consuming XattrReply) { reply.fail(.notImplemented) }

    public func seek(_ node: NodeID, offset: UInt64, whence: Int32, _ reply: consuming SeekReply) {
        reply.fail(.notImplemented)
    }
}
