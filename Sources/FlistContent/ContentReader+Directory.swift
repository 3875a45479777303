internal import BlockStore
public import FlistImage
internal import Synchronization

/// What to bring before the reader of a directory or a tree asks for it.
public struct FilesAhead: Sendable {
    var inodes: [InodeNumber] = []
    /// Bytes of each file to bring at most.
    var bytes: UInt64 = 0
}

extension ContentReader {
    /// Takes note of a read, and answers which files to bring for readers of whole directories: give them to `bring`
    /// once the read is answered.
    ///
    /// Call it before the answer: whoever gets that goes on, and the order in which files are read is what counts. Does
    /// no I/O; thread-safe.
    public func noteRead(_ range: Range<UInt64>, of inode: InodeNumber, size: UInt64) -> FilesAhead {
        guard hasCache else { return FilesAhead() }
        let isLongEnd = range.upperBound >= size && size > UInt64(ReadaheadWindow.first)
        guard range.lowerBound == 0 || isLongEnd else { return FilesAhead() }
        if isLongEnd { directory.withLock { $0.readEnd(of: inode) } }
        guard range.lowerBound == 0 else { return FilesAhead() }
        var limit = loader.directoryLimit
        // Every file that is fetched is open.
        limit.files = min(limit.files, openLimit / 4 * 3)
        return directory.withLock {
            FilesAhead(inodes: $0.read(inode, in: index, limit: limit), bytes: $0.bytesOfFile(limit: limit))
        }
    }

    /// Brings files that `noteRead` named.
    ///
    /// What is on the local disk is opened, and the kernel told to read it: the disk is as far away as its latency. The
    /// rest is fetched: of files that are larger than readers were seen to read the start alone; what follows is left to
    /// the readahead within them. Thread-safe; opens files.
    public func bring(_ ahead: FilesAhead) {
        for number in ahead.inodes {
            guard let blocks = index.blocks(of: number), let file = file(number), !file.willReadStart() else {
                continue
            }
            let most = max(1, Int(clamping: ahead.bytes / UInt64(max(1, blocks.blockSize))))
            for block in 0..<min(blocks.count, most) {
                guard let reference = blocks[block], file.isAbsent(block) else { continue }
                loader.load(block, reference, of: file, .readahead, waiter: nil)
            }
        }
    }
}
