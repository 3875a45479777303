internal import BlockStore
public import FlistImage
internal import Synchronization

extension ContentReader {
    /// Takes note that a file is read from its start; fetches the files after it for readers of whole directories.
    ///
    /// Thread-safe and quick. Small files are fetched whole, of larger ones the start; the rest is left to the
    /// readahead within them.
    public func noteStart(of inode: InodeNumber, isLocal: Bool) {
        guard hasCache else { return }
        var limit = loader.directoryLimit
        // Every file that is fetched is open.
        limit.files = min(limit.files, openLimit / 2)
        let ahead = directory.withLock { $0.read(inode, in: index, isLocal: isLocal, limit: limit) }
        var missed = false
        for number in ahead {
            guard let blocks = index.blocks(of: number), let file = file(number) else { continue }
            let first = max(1, ReadaheadWindow.first / max(1, blocks.blockSize))
            for block in 0..<min(blocks.count, first) {
                guard let reference = blocks[block], file.isAbsent(block) else { continue }
                loader.load(block, reference, of: file, .readahead, waiter: nil)
                missed = true
            }
        }
        if missed { directory.withLock { $0.missed() } }
    }
}
