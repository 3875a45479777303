internal import BlockCodec
internal import BlockStore
public import FUSESession
public import FlistContent
internal import FlistImage
internal import Glibc
public import Support
internal import Synchronization

/// A flist as a read-only file system: metadata from the mapped tree, bytes from the content reader.
///
/// Thread-safe. Metadata is answered on the thread that asks, without a lock or an allocation; a read that needs a
/// store is parked and answered from there.
public final class FlistFileSystem: FileSystem {
    let flist: OpenFlist
    let facts: MountFacts
    private let openMode = Mutex(OpenMode.none)
    /// Not with passthrough, for which the cache file's pages are the ones that count.
    private let dropsPages = Atomic(true)
    var index: TreeIndex { flist.index }

    /// - Parameter source: the flist as the user named it.
    public init(_ flist: OpenFlist, source: String) {
        self.flist = flist
        facts = MountFacts(flist: flist, source: source)
    }

    public func connected(opens: OpenMode) {
        openMode.withLock { $0 = opens }
        dropsPages.store(opens != .passthrough, ordering: .relaxed)
    }

    /// How files are opened.
    public var opens: OpenMode { openMode.withLock { $0 } }

    public func lookup(_ name: UnsafeRawBufferPointer, in parent: NodeID, _ reply: consuming EntryReply) {
        guard let directory = inode(parent), let record = record(name, in: directory),
            let attributes = index.attributes(of: record)
        else {
            // The tree never changes: the kernel may remember for ever that there is no such name.
            reply.negative()
            return
        }
        reply.found(node: NodeID(attributes.number), attributes: FileAttributes(attributes))
    }

    /// The kernel asks for ".." when a file handle leads to a directory that it has forgotten.
    private func record(_ name: UnsafeRawBufferPointer, in directory: InodeNumber) -> InodeNumber? {
        let dot = UInt8(ascii: ".")
        if name.count == 2, name[0] == dot, name[1] == dot { return index.parent(of: directory) }
        return index.lookup(name, in: directory)
    }

    public func getAttributes(_ node: NodeID, _ reply: consuming AttributesReply) {
        guard let inode = inode(node), let attributes = index.attributes(of: inode) else {
            reply.fail(.noEntry)
            return
        }
        reply.succeed(FileAttributes(attributes))
    }

    public func readLink(_ node: NodeID, _ reply: consuming DataReply) {
        guard let inode = inode(node), let target = index.linkTarget(of: inode) else {
            reply.fail(.invalid)
            return
        }
        reply.send(target)
    }

    public func backingFile(of node: NodeID) -> FileDescriptor? {
        guard let inode = inode(node) else { return nil }
        return flist.content.file(inode)?.completeFile()
    }

    public func read(_ node: NodeID, handle: UInt64, offset: UInt64, size: Int, _ reply: consuming DataReply) {
        guard let inode = inode(node), let file = flist.content.file(inode) else {
            // A regular file whose blocks the flist does not name, or nothing that the kernel would read.
            reply.fail(.io)
            return
        }
        let range = file.clamp(offset: offset, count: size)
        guard !range.isEmpty else {
            reply.send(UnsafeRawBufferPointer(start: nil, count: 0))
            return
        }
        let ahead = flist.content.noteRead(range, of: inode, size: file.size)
        let scratch = reply.scratch
        if let count = file.readNow(range, into: scratch) {
            reply.sendScratch(count)
            // The kernel keeps these bytes as pages of this file system: the cache file's own would be a second copy.
            if dropsPages.load(ordering: .relaxed) { file.dropPages(Self.pagesReadBefore(range, of: file.size)) }
            flist.content.bring(ahead)
            return
        }
        let parked = ParkedReply(reply)
        file.read(range) { result in
            switch result {
            case .success(let bytes): parked.send(bytes)
            case .failure(let error): parked.fail(error.errno)
            }
        }
        flist.content.bring(ahead)
    }

    /// What nobody reads from the cache file any more once a range is read.
    ///
    /// The kernel drops whole folios only, which are up to 2 MiB large, and has several requests of one reader under
    /// way: what lies one folio behind the range goes, and all behind it at the file's end. Dropped right away, a
    /// neighbour's part had to be read from the disk again.
    private static func pagesReadBefore(_ range: Range<UInt64>, of size: UInt64) -> Range<UInt64> {
        let folio: UInt64 = 2 << 20
        let end = range.lowerBound & ~(folio - 1)
        return end - min(end, 2 * folio)..<(range.upperBound >= size ? size : end)
    }

    public func statistics(_ reply: consuming StatisticsReply) {
        let summary = index.summary
        let blockSize: UInt64 = 4096
        let (whole, rest) = summary.totalSize.quotientAndRemainder(dividingBy: blockSize)
        reply.succeed(
            FileSystemStatistics(
                blockSize: UInt32(blockSize), blocks: whole + (rest > 0 ? 1 : 0), freeBlocks: 0,
                files: UInt64(summary.inodes), freeFiles: 0, nameLength: 255))
    }

    public func seek(_ node: NodeID, offset: UInt64, whence: Int32, _ reply: consuming SeekReply) {
        guard let inode = inode(node), let blocks = index.blocks(of: inode) else {
            reply.fail(.invalid)
            return
        }
        let position: UInt64? =
            switch whence {
            case SeekWhence.data: blocks.nextData(from: offset)
            case SeekWhence.hole: blocks.nextHole(from: offset)
            default: nil
            }
        guard whence == SeekWhence.data || whence == SeekWhence.hole else {
            reply.fail(.invalid)
            return
        }
        guard let position else {
            reply.fail(.noSuchDeviceOrAddress)
            return
        }
        reply.succeed(offset: position)
    }

    /// Node ids are positions in the index; nothing else is ever handed to the kernel.
    func inode(_ node: NodeID) -> InodeNumber? { InodeNumber(exactly: node) }
}

/// lseek(2)'s two questions about holes; Glibc's are macros behind _GNU_SOURCE.
enum SeekWhence {
    static let data: Int32 = 3
    static let hole: Int32 = 4
}

extension FileAttributes {
    init(_ inode: InodeAttributes) {
        self.init(
            inode: UInt64(inode.number), mode: inode.mode, nlink: inode.nlink, uid: inode.uid, gid: inode.gid,
            size: inode.size, sectors: inode.sectors, blockSize: 4096, major: inode.major, minor: inode.minor,
            // The formats hold no access time; the modification time is the nearest truth.
            atime: Time(inode.mtime), mtime: Time(inode.mtime), ctime: Time(inode.ctime))
    }
}

extension FileAttributes.Time {
    fileprivate init(_ time: Timestamp) { self.init(seconds: time.seconds, nanoseconds: time.nanoseconds) }
}
