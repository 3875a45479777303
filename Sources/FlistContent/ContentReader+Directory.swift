internal import BlockStore
public import FlistImage
internal import Synchronization

extension ContentReader {
    /// Takes note that a file is read from its start; fetches small files next to it for readers of whole directories.
    ///
    /// Thread-safe and quick. Large files are left to the readahead within them.
    public func noteStart(of inode: InodeNumber, isLocal: Bool) {
        guard hasCache, let siblings = index.children(of: index.parent(of: inode)) else { return }
        let ahead = directory.withLock { $0.read(inode, siblings: siblings, isLocal: isLocal) }
        var missed = false
        for record in ahead {
            guard let number = index.inodeNumber(of: record), let blocks = index.blocks(of: number), blocks.count == 1,
                let reference = blocks[0], let file = file(number), file.isAbsent(0)
            else { continue }
            loader.load(0, reference, of: file, .readahead, waiter: nil)
            missed = true
        }
        if missed { directory.withLock { $0.missed() } }
    }
}
