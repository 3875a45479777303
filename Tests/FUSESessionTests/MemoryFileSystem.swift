import FUSESession
import Glibc
import Support
import Synchronization

/// Serves a tree from memory; some reads go to a hook instead.
final class MemoryFileSystem: FileSystem {
    typealias ReadHook = @Sendable (_ node: NodeID, _ offset: UInt64, _ size: Int, consuming DataReply) -> Void

    private let tree: MemoryTree
    private let hooked: Set<NodeID>
    private let hook: ReadHook
    private let directIO: Bool
    private let releaseCount = Atomic<Int>(0)
    /// Paths of files that the kernel may read by itself, by node.
    let backing = Monitor<[NodeID: String]>([:])
    /// Microseconds that finding one takes.
    let backingDelay = Atomic<UInt32>(0)

    /// How many handles were given back.
    var releases: Int { releaseCount.load(ordering: .relaxed) }

    init(
        _ tree: MemoryTree, hooked: Set<NodeID> = [], directIO: Bool = false,
        hook: @escaping ReadHook = { _, _, _, _ in }
    ) {
        self.tree = tree
        self.hooked = hooked
        self.hook = hook
        self.directIO = directIO
    }

    func lookup(_ name: UnsafeRawBufferPointer, in parent: NodeID, _ reply: consuming EntryReply) {
        let name = Array(name)
        let child = name == Array("..".utf8) ? tree[parent]?.parent : tree[parent]?.index[name]
        guard let node = child, let found = tree[node] else { return reply.negative() }
        reply.found(node: node, attributes: found.attributes)
    }

    func getAttributes(_ node: NodeID, _ reply: consuming AttributesReply) {
        guard let found = tree[node] else { return reply.fail(.noEntry) }
        reply.succeed(found.attributes)
    }

    func readLink(_ node: NodeID, _ reply: consuming DataReply) {
        guard let found = tree[node] else { return reply.fail(.noEntry) }
        reply.send(found.content)
    }

    func open(_ node: NodeID, flags: Int32, _ reply: consuming OpenReply) {
        reply.succeed(handle: node + 1000, keepCache: !directIO, directIO: directIO)
    }

    func backingFile(of node: NodeID) -> FileDescriptor? {
        let delay = backingDelay.load(ordering: .relaxed)
        if delay > 0 { usleep(delay) }
        guard let path = backing.withLock({ $0[node] }) else { return nil }
        return try? FileDescriptor(path, O_RDONLY)
    }

    func release(_ node: NodeID, handle: UInt64, _ reply: consuming EmptyReply) {
        if handle == node + 1000 { releaseCount.wrappingAdd(1, ordering: .relaxed) }
        reply.succeed()
    }

    func openDirectory(_ node: NodeID, _ reply: consuming OpenReply) { reply.succeed(handle: 0) }

    func read(_ node: NodeID, handle: UInt64, offset: UInt64, size: Int, _ reply: consuming DataReply) {
        guard let found = tree[node] else { return reply.fail(.noEntry) }
        guard !hooked.contains(node) else { return hook(node, offset, size, reply) }
        let start = min(Int(clamping: offset), found.content.count)
        let end = min(start + size, found.content.count)
        found.content.withUnsafeBytes {
            reply.scratch.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<end]))
        }
        reply.sendScratch(end - start)
    }

    func readDirectory(
        _ node: NodeID, offset: UInt64, size: Int, plus: Bool, _ reply: consuming DirectoryReply
    ) {
        guard let found = tree[node] else { return reply.fail(.noEntry) }
        for position in Int(clamping: offset)..<max(Int(clamping: offset), found.children.count + 2) {
            let next = UInt64(position + 1)
            let fits: Bool
            if position < 2 {
                let inode = position == 0 ? node : found.parent
                fits = Array(repeating: UInt8(ascii: "."), count: position + 1).withUnsafeBytes {
                    reply.append(name: $0, inode: inode, mode: 0o040755, nextOffset: next)
                }
            } else {
                let (name, child) = found.children[position - 2]
                guard let attributes = tree[child]?.attributes else { continue }
                fits = name.withUnsafeBytes {
                    reply.append(name: $0, node: child, attributes: attributes, nextOffset: next)
                }
            }
            if !fits { break }
        }
        reply.send()
    }

    func statistics(_ reply: consuming StatisticsReply) {
        reply.succeed(FileSystemStatistics(blockSize: 4096, blocks: 77, files: UInt64(tree.nodes.count)))
    }

    func getXattr(_ node: NodeID, name: UnsafeRawBufferPointer, size: Int, _ reply: consuming XattrReply) {
        let found = tree[node]?.xattrs.first { Array($0.name.utf8) == Array(name) }
        guard let found else { return reply.fail(.noData) }
        reply.succeed(found.value)
    }

    func listXattr(_ node: NodeID, size: Int, _ reply: consuming XattrReply) {
        let names: [UInt8] = (tree[node]?.xattrs ?? []).flatMap { Array($0.name.utf8) + [0] }
        reply.succeed(names)
    }

    func seek(_ node: NodeID, offset: UInt64, whence: Int32, _ reply: consuming SeekReply) {
        guard let found = tree[node], offset < found.attributes.size else { return reply.fail(.noSuchDeviceOrAddress) }
        let hole = found.hole ?? found.attributes.size
        if whence == 4 { return reply.succeed(offset: max(offset, hole)) }
        if offset >= hole { return reply.fail(.noSuchDeviceOrAddress) }
        reply.succeed(offset: offset)
    }
}
