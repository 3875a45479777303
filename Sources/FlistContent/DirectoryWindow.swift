internal import FlistImage

/// Decides which files to bring before a reader that goes through a directory, or a whole tree, asks for them.
///
/// Whoever has read some files of a directory in a row will read the rest; whoever went from one directory into the next
/// meanwhile goes through the tree. Readers who jump are left alone; that several readers of one walk change places by a
/// few files is no jump. The window grows with each file that is read as foreseen: fivefold with every round trip. Not
/// thread-safe; the owner locks.
struct DirectoryWindow {
    /// Files to be ahead of a reader. At 0.3 ms a file, that covers a store 10 ms away.
    static let size = 32

    /// How far ahead to be at most.
    struct Limit {
        var files = DirectoryWindow.size
        /// Of all files together, in bytes; one file may be larger.
        var bytes: UInt64 = 8 << 20
        /// Whether to wait for another file costs more than to bring some in vain: then the second file in a row will
        /// do for `size` files of `firstBytes` together.
        var isFar = false
    }

    /// Entries between two files that a reader passes over: directories, links, empty files. And files by which one
    /// reader may be behind another.
    private static let gap: InodeNumber = 8
    /// Files in a row after which a reader is taken to go through all.
    private static let patience = 3
    /// Added to the window for each file that was foreseen.
    private static let growth = 4
    /// Files asked for at once: to wake the threads of the fetcher for each by itself costs more than the rest.
    private static let batch = 8
    private static let firstBytes: UInt64 = 2 << 20
    /// Files with more bytes than the readahead within them begins with are read to their end, or not.
    private static let long = UInt64(ReadaheadWindow.first)

    private var last: InodeNumber = 0
    private var run = 0
    /// Whether the run has gone from one directory into the next.
    private var crosses = false
    private var size = 0
    private var walk: TreeWalk?
    /// What was looked at: read already before `head`, not read yet from there on. In the order of the walk.
    private var ahead: [TreeWalk.File] = []
    private var head = 0
    private var bytes: UInt64 = 0
    /// Whether the last file is long and nobody has read its end yet.
    private var isUnfinished = false
    /// Whether the last long file was read to its end; nil before there was one.
    private var readsWhole: Bool?

    /// Takes note that a file is read from its start, and answers the files to look at now.
    mutating func read(_ inode: InodeNumber, in index: TreeIndex, limit: Limit) -> [InodeNumber] {
        guard inode != last, !isBehind(inode, in: index) else { return [] }
        let isForeseen = passed(inode)
        if isForeseen { run = min(run + 1, Self.patience) } else { follow(inode, in: index) }
        if isUnfinished { readsWhole = false }
        isUnfinished = index.blocks(of: inode).map { $0.size > Self.long } ?? false
        last = inode
        if run >= Self.patience {
            size = max(size, Self.size, limit.files / 8)
            if isForeseen { size += Self.growth }
            size = min(size, limit.files)
            return extend(to: limit.bytes)
        }
        guard limit.isFar, run > 0 else { return [] }
        size = min(Self.size, limit.files)
        return extend(to: min(Self.firstBytes, limit.bytes))
    }

    /// Bytes of each file that are worth bringing.
    func bytesOfFile(limit: Limit) -> UInt64 {
        switch readsWhole {
        case nil: min(limit.bytes, 4 * Self.long)
        case true?: limit.bytes
        case false?: Self.long
        }
    }

    /// Takes note that the end of a file is read.
    mutating func readEnd(of inode: InodeNumber) {
        guard isUnfinished, inode == last else { return }
        (isUnfinished, readsWhole) = (false, true)
    }

    /// Whether somebody went a few files further already.
    private func isBehind(_ inode: InodeNumber, in index: TreeIndex) -> Bool {
        if ahead[..<head].suffix(Int(Self.gap)).contains(where: { $0.inode == inode }) { return true }
        return inode < last && last - inode <= 2 && index.parent(of: inode) == index.parent(of: last)
    }

    /// Moves on to a file; false when it is not among what is next.
    private mutating func passed(_ inode: InodeNumber) -> Bool {
        guard let found = ahead[head...].prefix(Int(Self.gap)).firstIndex(where: { $0.inode == inode }) else {
            return false
        }
        for file in ahead[head...found] { bytes -= file.size }
        head = found + 1
        if head >= 1024 {
            let unused = head - Int(Self.gap)
            ahead.removeFirst(unused)
            head -= unused
        }
        return true
    }

    /// A file that was not foreseen: a run's beginning, its way into another directory, or a jump.
    private mutating func follow(_ inode: InodeNumber, in index: TreeIndex) {
        if last == 0 {
            crosses = false
        } else if index.parent(of: last) == index.parent(of: inode) {
            if inode > last, inode - last <= Self.gap {
                run = min(run + 1, Self.patience)
            } else {
                (run, crosses) = (0, false)
            }
        } else {
            var next = TreeWalk(index, after: last, crossesDirectories: true)
            crosses = (0..<Self.gap).contains { _ in next.next()?.inode == inode }
            if crosses { run = min(run + 1, Self.patience) }
        }
        // Where the reader goes on is where the walk begins anew.
        walk = TreeWalk(index, after: inode, crossesDirectories: crosses)
        ahead = []
        (head, bytes, size) = (0, 0, crosses ? size : 0)
    }

    private mutating func extend(to most: UInt64) -> [InodeNumber] {
        var added: [InodeNumber] = []
        guard size - (ahead.count - head) >= min(Self.batch, size) else { return added }
        while ahead.count - head < size, bytes < most, let file = walk?.next() {
            ahead.append(file)
            bytes += file.size
            added.append(file.inode)
        }
        return added
    }
}
