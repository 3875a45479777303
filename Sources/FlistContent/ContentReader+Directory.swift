internal import BlockStore
public import FlistImage
internal import Synchronization

extension ContentReader {
    /// Takes note that a file is read from its start; brings the files after it for readers of whole directories.
    ///
    /// What is on the local disk is opened, and the kernel told to read it: the disk is as far away as its latency. The
    /// rest is fetched: small files whole, of larger ones the start; what follows is left to the readahead within them.
    /// Thread-safe; opens files, so call it after the answer.
    public func noteStart(of inode: InodeNumber) {
        guard hasCache else { return }
        var limit = loader.directoryLimit
        // Every file that is fetched is open.
        limit.files = min(limit.files, openLimit / 2)
        let ahead = directory.withLock { $0.read(inode, in: index, limit: limit) }
        for number in ahead {
            guard let blocks = index.blocks(of: number), let file = file(number), !file.willReadStart() else {
                continue
            }
            let first = max(1, ReadaheadWindow.first / max(1, blocks.blockSize))
            for block in 0..<min(blocks.count, first) {
                guard let reference = blocks[block], file.isAbsent(block) else { continue }
                loader.load(block, reference, of: file, .readahead, waiter: nil)
            }
        }
    }
}
