internal import FlistImage

/// Decides which files of a directory to fetch before a reader that goes through it asks for them.
///
/// A tree is read in the order of its directories' entries, which is the order of the index: the next file is nearly
/// always one of the next records. Readers who jump are left alone, and so is everybody while nothing is missing.
/// Not thread-safe; the owner locks.
struct DirectoryWindow {
    /// Files to be ahead. At 0.3 ms a file, that covers a store 10 ms away.
    static let size: InodeNumber = 32

    /// Entries between two files that a reader passes over: directories, links, empty files.
    private static let gap: InodeNumber = 8
    /// Files in a row after which a reader is taken to go through all.
    private static let patience = 3
    /// Reads from the disk in a row after which the rest is taken to be there as well.
    private static let memory = 64

    private var last: InodeNumber = 0
    private var run = 0
    private var warmth = 0
    /// The first record that was not looked at yet in this directory.
    private var frontier: InodeNumber = 0

    /// Takes note that a file is read from its start, and answers the records to look at now.
    ///
    /// - Parameters:
    ///   - siblings: all records of its directory.
    ///   - isLocal: whether no store was needed.
    mutating func read(_ inode: InodeNumber, siblings: Range<InodeNumber>, isLocal: Bool) -> Range<InodeNumber> {
        defer { last = inode }
        warmth = isLocal ? max(0, warmth - 1) : Self.memory
        if !siblings.contains(last) {
            // Another directory: who went through the one before will go through this one.
            frontier = 0
        } else if inode > last, inode - last <= Self.gap {
            run = min(run + 1, Self.patience)
        } else if inode != last {
            run = 0
        }
        guard warmth > 0, run >= Self.patience, siblings.contains(inode) else { return 0..<0 }
        let start = max(frontier, inode + 1)
        let end = min(siblings.upperBound, inode + 1 + Self.size)
        guard start < end else { return 0..<0 }
        frontier = end
        return start..<end
    }

    /// Something ahead had to be fetched: there is more to come.
    mutating func missed() { warmth = Self.memory }
}
