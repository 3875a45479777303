internal import CLinux
internal import Glibc
internal import Support
internal import Synchronization

/// What holds a content's bytes at one time: nothing yet, a partial file with its map, or a complete file.
///
/// A content goes from one backing to the next (stored at last, found damaged); within one the descriptors stay the
/// same. So a reader that took hold of one may go on with it while the content moves on. Thread-safe.
final class Backing: Sendable {
    /// The data file, or -1 where there is none.
    let data: Int32
    /// The map file, for a partial file only.
    let map: BlockMap?
    let bits: BlockBits
    /// Blocks that are not present.
    let missing: Atomic<Int>
    /// All is there and trusted. Never taken back: a damaged content gets another backing.
    let isComplete: Atomic<Bool>
    /// A complete file that was not known to be on disk when it was opened.
    let isFresh: Bool

    /// A complete file.
    init(complete data: consuming FileDescriptor, isFresh: Bool) {
        self.data = data.release()
        self.isFresh = isFresh
        map = nil
        bits = BlockBits(count: 0)
        missing = Atomic(0)
        isComplete = Atomic(true)
    }

    /// Nothing but the holes, or a partial file whose map is yet to be read into the bits.
    init(data: consuming FileDescriptor?, map: BlockMap?, layout: BlockLayout, holes: [Range<Int>]) {
        if let data {
            self.data = data.release()
        } else {
            self.data = -1
        }
        self.map = map
        isFresh = false
        bits = BlockBits(count: layout.count)
        var missing = layout.count
        for block in holes.joined() where bits.markPresent(block) { missing -= 1 }
        self.missing = Atomic(missing)
        isComplete = Atomic(layout.isValid && missing == 0 && map == nil)
    }

    deinit {
        if data >= 0 { close(data) }
    }

    /// Marks a block present; answers whether it was the last that was missing.
    func markPresent(_ block: Int) -> Bool {
        bits.markPresent(block) && missing.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }

    /// Takes over what the map says of these blocks; answers whether that made the content complete.
    func refresh(_ blocks: Range<Int>) -> Bool {
        guard let map, let states = map.states(of: blocks) else { return false }
        var isLast = false
        for (block, state) in zip(blocks, states) {
            switch state {
            case .present: if markPresent(block) { isLast = true }
            case .suspect: if !bits.isPresent(block) { bits.markSuspect(block) }
            case .absent: bits.clearSuspect(block)
            }
        }
        return isLast
    }
}
